import { type Profiler, Session } from "node:inspector/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { LogRecord } from "../src/log-record.ts";

const RECORDS = 100_000;
/** How often any one block may run for each record: a sort of a hundred thousand compares seventeen times, some calls are two deep. */
const MOST_RUNS = 40;

function record(call: number, path: readonly number[]): LogRecord {
  return {
    level: 30,
    time: "2026-01-01T12:00:00.123Z",
    guest: "a",
    call,
    path,
    message: "x",
    attributes: undefined,
    error: undefined,
  };
}

// The engine counts the blocks of what is loaded from now on.
const session = new Session();
session.connect();
afterAll(() => session.disconnect());
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
const { LogTree } = await import("../src/log-tree.ts");

/** How often the block of the tree's code that ran most did so since it was asked last. */
async function mostRuns(): Promise<number> {
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const counts = result
    .filter(({ url }: Profiler.ScriptCoverage) => url.endsWith("/src/log-tree.ts"))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map((it) => it.count)));
  return Math.max(...counts);
}

describe("a tree of 100,000 records costs each of them a few steps", () => {
  const indices = Array.from({ length: RECORDS }, (_, i) => i);
  test.each<[string, (i: number) => readonly number[]]>([
    ["of one call", () => [1]],
    ["of as many outermost calls", (i) => [1 + i]],
    ["of as many calls below one, the last one first", (i) => [1, 1 + RECORDS - i]],
    ["of as many calls below one, in a random order", (i) => [1, 2 + ((i * 7919) % RECORDS)]],
    ["of one call among those of the one above", (i) => (i % 2 === 0 ? [1] : [1, 2])],
    ["of one call after those of the one above", (i) => (i < RECORDS / 2 ? [1] : [1, 2])],
    ["of two calls in turns", (i) => [1, 2 + (i % 2)]],
  ])("%s", async (_, path) => {
    const records = indices.map((i) => record(RECORDS + 2 + i, path(i)));
    for (const most of [Infinity, 1_000_000]) {
      let shown = 0;
      await mostRuns();
      const tree = new LogTree((line) => void (shown += line.endsWith("INFO x") ? 1 : 0), most);
      for (const it of records) tree.add(it, 100);
      tree.end();
      const runs = await mostRuns();
      expect(shown).toBe(RECORDS);
      expect(runs).toBeGreaterThanOrEqual(RECORDS);
      expect(runs / RECORDS).toBeLessThan(MOST_RUNS);
    }
  });
});

test("calls count as well: a record that names many does not take more room than its line", () => {
  const lines: string[] = [];
  const tree = new LogTree((line) => void lines.push(line), 1_000_000);
  const depth = 200;
  // Each is of 199 calls that no other is of, and has a line of a thousand characters.
  for (let i = 0; i < 100; i++) {
    const path = Array.from({ length: depth }, (_, at) => (at === 0 ? 1 : 2 + i * depth + at));
    tree.add(record(1_000_000 + i, path), 1_000);
  }
  expect(lines.filter((line) => line.endsWith("INFO x")).length).toBeGreaterThan(70);
});
