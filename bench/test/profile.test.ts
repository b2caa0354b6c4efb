import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { ROOT } from "../src/bench-files.ts";
import { type CpuProfile, selfTimes } from "../src/self-times.ts";

vi.setConfig({ testTimeout: 120_000 });

test("self times are added up by function, the dearest first", () => {
  const frame = (functionName: string, url = "", lineNumber = 0) => ({
    callFrame: { functionName, url, lineNumber },
  });
  const nodes = [
    { id: 1, ...frame("(root)") },
    { id: 2, ...frame("run", "file:///x/packages/dispatch/src/dispatch.ts", 28) },
    { id: 3, ...frame("", "file:///x/a.ts") },
    { id: 4, ...frame("run", "file:///x/packages/dispatch/src/dispatch.ts", 28) },
  ];
  const samples = [2, 3, 4, 1];
  expect(selfTimes({ nodes, samples, timeDeltas: [30, 20, 40, 10] })).toEqual([
    { where: "run dispatch/src/dispatch.ts:29", share: 0.7 },
    { where: "(anonymous) /x/a.ts:1", share: 0.2 },
    { where: "(root)", share: 0.1 },
  ]);
});

test("`pnpm bench:profile CASE` writes a profile, prints its path and where the time goes", () => {
  const { stdout, status } = spawnSync("pnpm", ["bench:profile", "call.echo64"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(status).toBe(0);
  const [path = "", ...lines] = stdout.trim().split("\n");
  expect(path).toBe(join(ROOT, "bench/build/profiles/call.echo64.cpuprofile"));
  const profile = JSON.parse(readFileSync(path, "utf8")) as CpuProfile;
  expect(profile.samples.length).toBeGreaterThan(1000);
  expect(lines).toHaveLength(20);
  for (const line of lines) expect(line).toMatch(/^ *\d+\.\d % {2}\S/);
  expect(stdout).toMatch(/abi\/src\/endpoint\.ts:\d+/);
});

test("a case that is not there is an error that says so", () => {
  const { stderr, status } = spawnSync(
    process.execPath,
    [join(ROOT, "bench/src/profile.ts"), "call.nothing"],
    { encoding: "utf8" },
  );
  expect(status).toBe(1);
  expect(stderr).toContain("no case is named call.nothing");
});
