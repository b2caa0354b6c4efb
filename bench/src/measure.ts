import type { Case, Sample } from "./case.ts";
import { collectYoung } from "./garbage.ts";

/** What a case came to, for one time of what it does. This is what `--json` prints. */
export interface Result {
  readonly name: string;
  readonly unit: "ns" | "B";
  /** Over the rounds, as are the lowest and the highest. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** What it was compared with; null where it is shown for scale. */
  readonly baseline: string | null;
  readonly baselineMedian: number | null;
  /** The median of the rounds' ratios: both sides of a ratio met the same noise, so it is steadier than a ratio of medians. */
  readonly ratio: number | null;
}

/** A result, and whether it is good enough. */
export interface Measured {
  readonly result: Result;
  /** The median of the rounds' differences; null without a baseline. */
  readonly more: number | null;
  /** One sentence if its bound does not hold. */
  readonly missed: string | null;
}

/** How finely subject and baseline take turns. */
export interface Pace {
  /** At least 5. Where a bound does not hold after so many, twice as many are added, and all of them count. */
  readonly rounds: number;
  /** Turns that each side has in a round. Who is first alternates. */
  readonly slices: number;
  /** How long a turn is. */
  readonly sliceNs: number;
  /** A side runs at least so long before it counts: the engine compiles what runs often while it runs. */
  readonly warmNs: number;
}

export const PACE: Pace = { rounds: 15, slices: 4, sliceNs: 5e6, warmNs: 1500e6 };

/**
 * Measures a case: subject and baseline take short turns, so that whatever else the machine does meets both.
 *
 * ```text
 *  round 1: subject baseline  baseline subject  subject baseline  baseline subject  ─▶ one ratio
 *  round 2: ...
 * ```
 *
 * A turn ends when its young garbage is collected: else whoever allocates faster collects what the other left.
 */
export async function measure(
  it: Case,
  pace: Pace = PACE,
  collectGarbage: () => number = collectYoung,
): Promise<Measured> {
  const sides = [it.subject, ...(it.baseline ? [it.baseline] : [])];
  const counts = sides.map(() => it.times ?? 0);
  if (it.times === undefined) {
    for (const sample of sides) await warm(sample, pace.warmNs);
    for (const [i, sample] of sides.entries()) counts[i] = await calibrate(sample, pace.sliceNs);
  }
  const slices = it.times === undefined ? pace.slices : 1;
  const turns = sides.map((sample): Sample => {
    if (it.times !== undefined) return sample;
    return async (times) => (await sample(times)) + collectGarbage();
  });
  const rounds: number[][] = [];
  const least = Math.max(5, pace.rounds);
  for (let round = 0; round < 3 * least; round++) {
    if (round === least && conclude(it, rounds).missed === null) break;
    rounds.push(await takeTurns(turns, counts, slices, round));
  }
  return conclude(it, rounds);
}

/** One round: what one time took on each side. */
async function takeTurns(
  sides: readonly Sample[],
  counts: readonly number[],
  slices: number,
  round: number,
): Promise<number[]> {
  const sums = sides.map(() => 0);
  for (let slice = 0; slice < slices; slice++) {
    const order = [...sides.keys()];
    if ((slice + round) % 2 === 1) order.reverse();
    for (const i of order) sums[i] = (sums[i] ?? 0) + ((await sides[i]?.(counts[i] ?? 1)) ?? 0);
  }
  return sums.map((sum, i) => sum / slices / (counts[i] ?? 1));
}

/** What the rounds so far say. Each is [subject] or [subject, baseline], for one time. */
export function conclude(it: Case, rounds: readonly (readonly number[])[]): Measured {
  const subject = rounds.map(([a]) => a ?? Number.NaN);
  const pairs = rounds.flatMap(([a, b]) => (a === undefined || b === undefined ? [] : [[a, b]]));
  const of = (figure: (a: number, b: number) => number): number | null =>
    pairs.length === 0 ? null : median(pairs.map(([a = 0, b = 0]) => figure(a, b)));
  const ratio = of((a, b) => a / b);
  const more = of((a, b) => a - b);
  const unit = it.unit ?? "ns";
  let missed: string | null = null;
  if (it.atMost !== undefined && !((ratio ?? Number.NaN) <= it.atMost))
    missed = `${it.name}: ${ratio?.toPrecision(3)} of ${it.what}, at most ${it.atMost} is good enough`;
  if (it.atMostMore !== undefined && !((more ?? Number.NaN) <= it.atMostMore))
    missed = `${it.name}: ${more?.toFixed(0)} ${unit} more than ${it.what}, at most ${it.atMostMore} are good enough`;
  const result: Result = {
    name: it.name,
    unit,
    median: median(subject),
    min: Math.min(...subject),
    max: Math.max(...subject),
    baseline: pairs.length === 0 ? null : it.what,
    baselineMedian: of((_a, b) => b),
    ratio,
  };
  return { result, more, missed };
}

async function warm(sample: Sample, warmNs: number): Promise<void> {
  let took = 0;
  for (let count = 1; took < warmNs; count = Math.min(count * 2, 4096)) {
    const start = performance.now();
    await sample(count);
    took += (performance.now() - start) * 1e6;
  }
}

/** How many times fill a slice. */
async function calibrate(sample: Sample, sliceNs: number): Promise<number> {
  for (let count = 1; ; count *= 4) {
    const took = Math.min(await sample(count), await sample(count));
    if (took > sliceNs / 4) return Math.max(1, Math.round((count * sliceNs) / took));
  }
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (i: number): number => sorted[Math.floor(i)] ?? Number.NaN;
  return (at((sorted.length - 1) / 2) + at(sorted.length / 2)) / 2;
}
