import { describe, expect, test } from "vitest";
import type { Case } from "../src/case.ts";
import { conclude, measure as measureWith, median, type Pace } from "../src/measure.ts";
import { amount, boundOf, row } from "../src/table.ts";

const quick: Pace = { rounds: 5, slices: 2, sliceNs: 1000, warmNs: 0 };
const fake = (more: Partial<Case>): Case => ({
  name: "fake",
  what: "the other",
  subject: (times) => times * 10,
  ...more,
});

const measure = async (it: Case, pace: Pace): ReturnType<typeof measureWith> =>
  measureWith(it, pace, () => 0);

describe("a measured case", () => {
  test("is compared with what ran in its turn", async () => {
    const { result, missed } = await measure(
      fake({ baseline: (times) => times * 40, atMost: 0.3 }),
      quick,
    );
    expect(result).toEqual({
      name: "fake",
      unit: "ns",
      median: 10,
      min: 10,
      max: 10,
      baseline: "the other",
      baselineMedian: 40,
      ratio: 0.25,
    });
    expect(missed).toBeNull();
  });

  test("takes turns with its baseline, and who is first alternates", async () => {
    const order: string[] = [];
    const side =
      (name: string) =>
      (times: number): number => (order.push(name), times * 1000);
    await measure(fake({ subject: side("a"), baseline: side("b") }), quick);
    // The first of all find out how many times fill a slice.
    expect(order.slice(-20).join("")).toBe("abbabaababbabaababba");
    expect(order.filter((name) => name === "a").length).toBe(order.length / 2);
  });

  test("pays for the garbage that it leaves, and its baseline for its own", async () => {
    let left = 0;
    const leaves =
      (garbage: number) =>
      (times: number): number => ((left = garbage * times), times * 100);
    const { result } = await measureWith(
      fake({ subject: leaves(10), baseline: leaves(300) }),
      quick,
      () => left,
    );
    expect([result.median, result.baselineMedian]).toEqual([110, 400]);
  });

  test("without a baseline is shown for scale", async () => {
    const { result, more, missed } = await measure(fake({}), quick);
    expect(result).toMatchObject({ median: 10, baseline: null, baselineMedian: null, ratio: null });
    expect([more, missed]).toEqual([null, null]);
  });

  test("that misses its bound runs more rounds, all of which count, and says so in the end", async () => {
    let slow = 0;
    const subject = (times: number): number => (slow++, times * 100);
    const { missed } = await measure(
      fake({ subject, times: 1, baseline: (times) => times * 100, atMost: 0.5 }),
      quick,
    );
    expect(slow).toBe(15);
    expect(missed).toBe("fake: 1.00 of the other, at most 0.5 is good enough");
  });

  test("that holds its bound runs no more rounds than it was told", async () => {
    let runs = 0;
    await measure(fake({ subject: () => (runs++, 1), times: 1, baseline: () => 2, atMost: 1 }), {
      ...quick,
      rounds: 7,
    });
    expect(runs).toBe(7);
  });

  test("is never measured in fewer than five rounds", async () => {
    let runs = 0;
    await measure(fake({ subject: () => (runs++, 1), times: 1 }), { ...quick, rounds: 1 });
    expect(runs).toBe(5);
  });

  test("may be bytes, and a number of times of its own", async () => {
    const { result } = await measure(
      fake({ unit: "B", times: 1000, subject: (n) => n * 4096, baseline: (n) => n * 2048 }),
      quick,
    );
    expect(result).toMatchObject({ unit: "B", median: 4096, baselineMedian: 2048, ratio: 2 });
  });

  test("bound by a difference is measured by the median of the differences", async () => {
    const { more, missed } = await measure(
      fake({ subject: (n) => n * 350, baseline: (n) => n * 100, atMostMore: 200 }),
      quick,
    );
    expect(more).toBe(250);
    expect(missed).toBe("fake: 250 ns more than the other, at most 200 are good enough");
  });

  test("whose samples are no numbers is not good enough", async () => {
    const { missed } = await measure(
      fake({ times: 1, subject: () => Number.NaN, baseline: () => 1, atMost: 1 }),
      quick,
    );
    expect(missed).toContain("fake: NaN");
  });
});

describe("the ratio", () => {
  const rounds = [
    [10, 40],
    [12, 48],
    [400, 1600],
    [11, 44],
    [90, 50],
  ];
  const { result, more } = conclude(fake({ baseline: () => 0 }), rounds);

  test("is the median of the rounds' ratios: noise that meets both sides does not move it", () => {
    expect(result.ratio).toBe(0.25);
    expect(more).toBe(-33);
  });

  test("stands beside medians, and what was the lowest and the highest", () => {
    expect(result).toMatchObject({ median: 12, min: 10, max: 400, baselineMedian: 48 });
  });

  test("of an even number of rounds is the mean of the two in the middle", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

test("a row of the table says what was missed", () => {
  const it = fake({ baseline: () => 0, atMost: 0.2 });
  const line = row(conclude(it, [[10, 40]]), boundOf(it), it.what);
  expect(line).toMatch(
    /^fake +10\.0 ns \(10\.0 ns to 10\.0 ns\) +0\.250 of 40\.0 ns \(at most 0\.2\) ✗ +the other$/,
  );
});

test("amounts are shown as a person reads them", () => {
  expect([amount(7.25, "ns"), amount(9999, "ns"), amount(12_345, "ns")]).toEqual([
    "7.3 ns",
    "9999 ns",
    "12.3 µs",
  ]);
  expect(amount(2_500_000, "B")).toBe("2500 kB");
});
