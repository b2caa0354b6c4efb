import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { findCases, ROOT } from "../src/bench-files.ts";

// Every one of these starts processes that start processes.
vi.setConfig({ testTimeout: 120_000 });

const scratch = mkdtempSync(join(tmpdir(), "dropthrough-bench-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Puts a file of cases somewhere into a folder of its own. */
function folder(name: string, files: Record<string, string>): string {
  const root = join(scratch, name);
  for (const [path, cases] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), `export default [${cases}];`);
  }
  return root;
}

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const run = join(import.meta.dirname, "../src/run.ts");
  return spawnSync(process.execPath, [run, ...args], { encoding: "utf8" });
}

const made = (name: string, rest: string): string =>
  `{ name: "${name}", make: async () => ({ what: "the other", times: 1, ${rest} }) }`;
const good = made("good", "subject: () => 1, baseline: () => 2, atMost: 1");
const slow = made("slow", "subject: () => 3, baseline: () => 2, atMost: 1");

// Both cases take one process: how several count is shown below, without the seconds that a real case warms up.
test("`pnpm bench --json` prints one array of results and nothing else", () => {
  const { status, stdout } = spawnSync(
    "pnpm",
    ["bench", "^call[.](floor|get)$", "--json", "--rounds", "5"],
    { cwd: ROOT, encoding: "utf8" },
  );
  const results = JSON.parse(stdout) as Record<string, unknown>[];
  expect(results.map((one) => one["name"])).toEqual(["call.floor", "call.get"]);
  for (const one of results) {
    expect(Object.keys(one)).toEqual([
      "name",
      "unit",
      "median",
      "min",
      "max",
      "baseline",
      "baselineMedian",
      "ratio",
    ]);
  }
  expect(results[0]).toMatchObject({ unit: "ns", baseline: null, ratio: null });
  expect(results[1]).toMatchObject({ baseline: expect.any(String), ratio: expect.any(Number) });
  // Whether the ratio holds on a machine that runs tests meanwhile is not the question here.
  expect([0, 1]).toContain(status);
});

test("cases that are good enough end well, and each is a line of the table", () => {
  const root = folder("good", { "a.bench.ts": good });
  const { status, stdout } = bench("--root", root);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^good +1\.0 ns .* 0\.500 of 2\.0 ns \(at most 1\) +the other$/m);
  expect(stdout).toContain("1 cases, 0 not good enough");
});

test("of several processes, the one with the median ratio counts", () => {
  const state = join(scratch, "turn");
  const turns = `(() => { const n = existsSync(${JSON.stringify(state)}) ? Number(readFileSync(${JSON.stringify(state)})) : 0; writeFileSync(${JSON.stringify(state)}, String(n + 1)); return [9, 2, 3, 1, 8][n]; })()`;
  const lucky = `{ name: "lucky", processes: 5, make: async () => { const n = ${turns}; return { what: "the other", times: 1, subject: () => n, baseline: () => 1 }; } }`;
  const root = folder("lucky", { "a.bench.ts": lucky });
  const file = join(root, "a.bench.ts");
  writeFileSync(
    file,
    `import { existsSync, readFileSync, writeFileSync } from "node:fs";\n${readFileSync(file, "utf8")}`,
  );
  const { stdout } = bench("--root", root, "--json");
  expect(JSON.parse(stdout)).toMatchObject([{ name: "lucky", ratio: 3 }]);
});

test("a bound that does not hold ends with 1 and says which", () => {
  const root = folder("slow", { "a.bench.ts": `${good}, ${slow}` });
  const { status, stdout, stderr } = bench("--root", root, "--json");
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toHaveLength(2);
  expect(stderr).toContain("slow: 1.50 of the other, at most 1 is good enough");
});

test("a case that cannot run ends with 1 and says which", () => {
  const broken = `{ name: "broken", make: async () => { throw new Error("no such guest") } }`;
  const noisy = `{ name: "noisy", make: async () => (console.log("hello"), { what: "w", times: 1, subject: () => 1 }) }`;
  const root = folder("broken", { "a.bench.ts": `${broken}, ${noisy}` });
  const { status, stdout, stderr } = bench("--root", root, "--json");
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([{ name: "noisy" }]);
  expect(stderr).toContain("no such guest");
  expect(stderr).toContain("broken: it could not run");
});

test("a filter that fits no case is an error", () => {
  const { status, stderr } = bench("--root", folder("none", { "a.bench.ts": good }), "nothing");
  expect(status).toBe(1);
  expect(stderr).toContain("no case is named like nothing");
});

test("cases are found anywhere, and not in what was installed or built", async () => {
  const root = folder("anywhere", {
    "packages/backends/x/src/deep/x.bench.ts": good,
    "y.bench.ts": slow,
    "node_modules/z/z.bench.ts": made("installed", "subject: () => 1"),
    "packages/x/dist/z.bench.ts": made("built", "subject: () => 1"),
  });
  const found = await findCases(/(?:)/, root);
  expect(found.map(({ maker }) => maker.name)).toEqual(["good", "slow"]);
  expect(await findCases(/^slow$/, root)).toHaveLength(1);
});

test("two cases of one name are an error that names both files", async () => {
  const root = folder("twins", { "a.bench.ts": good, "b/b.bench.ts": good });
  await expect(findCases(/(?:)/, root)).rejects.toThrow(
    /good is in .*a\.bench\.ts and in .*b\.bench\.ts: rename one/,
  );
});

test("the cases of this repository have one name each", async () => {
  const found = await findCases(/(?:)/);
  expect(found.length).toBeGreaterThan(10);
});
