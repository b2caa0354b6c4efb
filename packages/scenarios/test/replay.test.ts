import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { mutants } from "../src/mutants.ts";

/** What `pnpm test:schedules` runs. */
function schedules(args: readonly string[]): { status: number | null; stdout: string } {
  const main = new URL("../src/main.ts", import.meta.url).pathname;
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
}

test.each(Object.keys(mutants))(
  "the broken kernel %s is found by some seed, and the printed command replays it",
  { timeout: 120_000 },
  (mutant) => {
    const found = schedules(["--scenario", "diamond", "--seeds", "40", "--mutant", mutant]);
    expect(found.status).toBe(1);
    expect(found.stdout).toContain("0 passed, 1 failed");
    const [, failure = "", command = ""] =
      /^(diamond: seed \d+ failed: .+)\n {2}replay: pnpm test:schedules (.+)$/m.exec(
        found.stdout,
      ) ?? [];
    expect(failure).toContain("which it requires");
    const replayed = schedules(command.split(" "));
    expect(replayed.status).toBe(1);
    expect(replayed.stdout).toContain(failure);
  },
);

test("the real kernel is not found on the same seeds", { timeout: 120_000 }, () => {
  const { status, stdout } = schedules(["--scenario", "diamond", "--seeds", "40"]);
  expect(stdout).toContain("1 passed, 0 failed");
  expect(status).toBe(0);
});
