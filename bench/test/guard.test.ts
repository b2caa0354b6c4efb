import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { verdict } from "../src/guard/verdict.ts";

vi.setConfig({ testTimeout: 300_000 });

describe("the guard", () => {
  test("is green for what was committed, and up to 10 percent more", () => {
    expect(verdict("call.x", 1000, 1000).good).toBe(true);
    expect(verdict("call.x", 1100, 1000)).toEqual({
      good: true,
      line: "call.x: 1100 instructions per call, 1000 committed (+10.0 %)",
    });
  });

  test("is red above that, and says what to run", () => {
    const { good, line } = verdict("call.x", 1101, 1000);
    expect(good).toBe(false);
    expect(line).toContain("more than 10 % worse");
    expect(line).toContain("pnpm bench:guard --write");
  });

  test("is red for what was never measured, and for what is no number", () => {
    expect(verdict("call.x", 1000, undefined).good).toBe(false);
    expect(verdict("call.x", Number.NaN, 1000).good).toBe(false);
  });

  test("says how to keep what has become better", () => {
    const { good, line } = verdict("call.x", 800, 1000);
    expect(good).toBe(true);
    expect(line).toContain("better. To keep it");
  });

  test("is red when the way of a call is made slower", () => {
    // Where only ratios can be compared the mutant has to be as coarse as they are.
    const SLOWER = process.platform === "linux" ? "150" : "5000";
    const mutant = join(import.meta.dirname, "slow-call.mjs");
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, "../src/guard/guard.ts"), "call.echo64"],
      { encoding: "utf8", env: { ...process.env, NODE_OPTIONS: `--import=${mutant}`, SLOWER } },
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(/call\.echo64.*(more than 10 % worse|is good enough)/);
    expect(status).toBe(1);
  });
});
