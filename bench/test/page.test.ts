import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCases, ROOT } from "../src/bench-files.ts";
import { type Figures, readFigures } from "../src/figures.ts";
import { pageOf, stepsOf } from "../src/page.ts";

const read = (name: string): string => readFileSync(join(ROOT, "docs", name), "utf8");
const figures = readFigures();
const made = pageOf(figures, read("PERFORMANCE.md"));

describe("docs/PERFORMANCE.md", () => {
  test.each(Object.keys(made))(
    "%s is what the figures say: `pnpm bench:chart` makes it",
    (name) => {
      expect(read(name)).toBe(made[name]);
    },
  );

  test("names the machine and the engine", () => {
    expect(made["PERFORMANCE.md"]).toContain(figures.cpu);
    expect(made["PERFORMANCE.md"]).toContain(`Node ${figures.node}`);
  });

  test("has figures of cases alone that are there: `pnpm bench --save` takes them", async () => {
    const cases = (await findCases(/(?:)/)).map(({ maker }) => maker.name);
    for (const { name } of figures.results) expect(cases).toContain(name);
    expect(figures.results.length).toBeGreaterThan(30);
  });

  test("says of every case what runs", async () => {
    const explained = [...read("PERFORMANCE.md").matchAll(/`([a-z0-9.*]+)`/gi)].map(
      ([, name = ""]) => new RegExp(`^${name.replaceAll(".", "[.]").replaceAll("*", ".*")}$`),
    );
    for (const { maker } of await findCases(/(?:)/)) {
      const row = explained.some((pattern) => pattern.test(maker.name));
      expect(row, `${maker.name} is not explained`).toBe(true);
    }
  });

  test("a change of a figure changes the page", () => {
    const results = figures.results.map((one) =>
      one.name === "call.get" ? { ...one, median: 77_700 } : one,
    );
    expect(pageOf({ ...figures, results }, read("PERFORMANCE.md"))["PERFORMANCE.md"]).toContain(
      "77.7 µs",
    );
  });
});

test("the steps of a call add up to the whole of it", () => {
  const result = (name: string, median: number, ratio: number): Figures["results"][number] => ({
    name,
    median,
    ratio,
    unit: "ns",
    min: median,
    max: 0,
    baseline: "",
    baselineMedian: 0,
    bound: "",
    good: true,
    more: 0,
  });
  const results = [
    result("part.crossing", 10, 0.1),
    result("part.boundary", 25, 0.25),
    // Noise: this cannot be less than what it begins with.
    result("part.dispatch", 20, 0.2),
    result("part.request", 70, 0.7),
    result("call.echo64", 100, 0.08),
  ];
  const steps = stepsOf({ cpu: "", cores: 0, node: "", results }).map(({ value }) => value);
  expect(steps.map(Math.round)).toEqual([10, 15, 0, 45, 30]);
});
