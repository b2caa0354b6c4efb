/**
 * All checks, in the order in which they are worth reading: `pnpm check`, `npm test`, `.ci/run`.
 *
 * Every step counts as one check, and the tests each for themselves. The last line is `N passed, N failed`.
 *
 *   node tools/check.ts [NAME ...]    only the named steps
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRedisServer } from "./redis-server.ts";

interface Count {
  passed: number;
  failed: number;
}

/** Where the output of a step goes; straight to ours if left out. */
type Output = (text: string) => void;

interface Step {
  readonly name: string;
  /** Whether it runs beside its neighbours that do: it has one thread, and time is nothing to it. */
  readonly beside?: true;
  /** What to run when it is red; the step's own commands where left out. */
  readonly hint?: string;
  run(output?: Output): Promise<Count>;
}

const scratch = mkdtempSync(join(tmpdir(), "dropthrough-check-"));
const root = new URL("..", import.meta.url).pathname;
// Many tests start programs: what these compile is compiled once.
process.env["NODE_COMPILE_CACHE"] ??= join(scratch, "compiled");

const steps: Step[] = [
  {
    name: "redis",
    run: async () => (
      (process.env["REDIS_SERVER"] = await findRedisServer()),
      { passed: 1, failed: 0 }
    ),
  },
  command("format", "oxfmt --check .", "pnpm format"),
  command("lint", "oxlint --type-aware --deny-warnings"),
  command("boundaries", "turbo boundaries"),
  command("proto lint", "buf lint"),
  command("proto format", "buf format --diff --exit-code", "pnpm format"),
  { name: "proto breaking", run: breaking },
  { name: "generated code", hint: "pnpm generate, and commit what changed", run: generated },
  command("types", "tsc --project tsconfig.json"),
  command("unused", "knip --no-progress"),
  command("guests", "turbo run guests --output-logs=errors-only"),
  command("build", "turbo run build --output-logs=errors-only"),
  command("publish", "node tools/check-packages.ts"),
  command("changesets", "changeset status"),
  { name: "schedules", hint: "pnpm test:schedules", beside: true, run: schedules },
  { ...command("guard", "node bench/src/guard/guard.ts", "pnpm bench:guard"), beside: true },
  { name: "conformance", hint: "pnpm conformance", beside: true, run: conformance },
  { name: "tests", hint: "pnpm unit", run: tests },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => steps.every((step) => step.name !== name));
if (unknown.length > 0) {
  const names = steps.map(({ name }) => JSON.stringify(name)).join(", ");
  console.error(`there is no step ${JSON.stringify(unknown[0])}: the steps are ${names}`);
  rmSync(scratch, { recursive: true, force: true });
  process.exit(2);
}
const total: Count = { passed: 0, failed: 0 };
const chosen = steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
while (chosen.length > 0) {
  const alone = chosen.findIndex(({ beside }) => beside !== true);
  const together = chosen.splice(0, alone < 0 ? chosen.length : Math.max(1, alone));
  if (together.length === 1) for (const step of together) await check(step);
  else {
    // Each tells all that it has to say when it is its turn.
    const texts = together.map(() => "");
    const done = together.map(async (step, i) => check(step, (text) => (texts[i] += text)));
    for (const [i, one] of done.entries()) {
      await one;
      process.stdout.write(texts[i] ?? "");
    }
  }
}
rmSync(scratch, { recursive: true, force: true });
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** Runs a step, says what came of it, and counts it. */
async function check(step: Step, output?: Output): Promise<void> {
  const say = output ?? ((text: string) => void process.stdout.write(text));
  const started = Date.now();
  say(`\n── ${step.name}\n`);
  let count: Count;
  try {
    count = await step.run(output);
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n`);
    count = { passed: 0, failed: 1 };
  }
  total.passed += count.passed;
  total.failed += count.failed;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  say(`── ${step.name}: ${count.passed} passed, ${count.failed} failed (${seconds} s)\n`);
  if (count.failed > 0 && step.hint !== undefined) say(`   to see or mend it: ${step.hint}\n`);
}

/** A step that is one command: green if it exits with 0. */
function command(name: string, line: string, hint = line): Step {
  return {
    name,
    hint,
    run: async (output) =>
      (await run(line, output)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 },
  };
}

/** Runs a command line in the root. */
async function run(line: string, output?: Output): Promise<number> {
  const [file = "", ...args] = line.split(" ");
  const where = output === undefined ? "inherit" : "pipe";
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", where, where] });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => output?.(text));
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function runFor(line: string): Promise<string> {
  const [file = "", ...args] = line.split(" ");
  const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${line} ended with ${code}`)),
    );
  });
}

/**
 * Contracts may only grow: compared with the commit that this one follows, or the one that `DROPTHROUGH_BASE` names.
 * Counts nothing where no commit is known that could be named: at the first one, or in a clone of one alone.
 */
async function breaking(): Promise<Count> {
  const base = process.env["DROPTHROUGH_BASE"] ?? "HEAD~1";
  if ((await run(`git cat-file -e ${base}:proto`, () => {})) !== 0) {
    const commits = Number(await runFor("git rev-list --count --max-count=2 HEAD"));
    const alone = commits === 1 && process.env["DROPTHROUGH_BASE"] === undefined;
    console.log(`${base} has no contracts to compare with: nothing was checked`);
    return { passed: 0, failed: alone ? 0 : 1 };
  }
  const code = await run(`buf breaking --against .git#ref=${base}`);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** Committed generated code is what the generators make of the contracts. */
async function generated(): Promise<Count> {
  const before = await fingerprint();
  if ((await run("turbo run generate --force --output-logs=errors-only")) !== 0)
    return { passed: 0, failed: 1 };
  if ((await fingerprint()) === before) return { passed: 1, failed: 0 };
  await run("git status --short");
  return { passed: 0, failed: 1 };
}

/** What git sees of the generated folders. */
async function fingerprint(): Promise<string> {
  const paths = "-- :(glob)**/gen/**";
  return (
    (await runFor(`git status --porcelain --untracked-files=all ${paths}`)) +
    (await runFor(`git diff ${paths}`))
  );
}

/** The scenarios in many legal orders; each of them counts. */
async function schedules(output?: Output): Promise<Count> {
  const report = join(scratch, "schedules.txt");
  const code = await run(`node packages/scenarios/src/main.ts --report ${report}`, output);
  const { passed, failed } = JSON.parse(readFileSync(report, "utf8")) as Count;
  return { passed, failed: Math.max(failed, code === 0 ? 0 : 1) };
}

/** Each suite of the conformance runner counts. Where it cannot run, it says why, and counts nothing; on CI that is red, be it one suite. */
async function conformance(output?: Output): Promise<Count> {
  let text = "";
  const code = await run("node tools/conformance.ts", (more) => {
    text += more;
    if (output === undefined) process.stdout.write(more);
    else output(more);
  });
  const passed = text.match(/CONFORMANCE SUITE PASSED/g)?.length ?? 0;
  const all = passed > 0 && !text.includes("CONFORMANCE TESTS NOT RUN");
  const ran = all || process.env["CI"] === undefined;
  return { passed, failed: code === 0 && ran ? 0 : 1 };
}

async function tests(): Promise<Count> {
  const report = join(scratch, "vitest.json");
  const code = await run(
    `vitest run --reporter=default --reporter=json --outputFile.json=${report}`,
  );
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites } =
    JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
  if ((numPendingTests ?? 0) + (numTodoTests ?? 0) > 0) {
    console.log("tests were skipped: a test runs, or it is not there");
    return { passed: numPassedTests ?? 0, failed: (numFailedTests ?? 0) + 1 };
  }
  // A file that cannot be loaded, or an error outside of any test, fails the run without failing a test.
  const failed = Math.max(
    numFailedTests ?? 0,
    code === 0 ? 0 : 1,
    (numFailedTestSuites ?? 0) > 0 ? 1 : 0,
  );
  return { passed: numPassedTests ?? 0, failed };
}
