import type { Case, Sample } from "./case.ts";

/** What a case came to. All figures are nanoseconds for one time. */
export interface Result {
  readonly name: string;
  readonly unit: "ns";
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** What it was compared with; null where it is shown for scale. */
  readonly baseline: string | null;
  readonly baselineMedian: number | null;
  /** The median over that of the baseline. */
  readonly ratio: number | null;
}

const ROUNDS = 7;
/** A sample takes about so long, in nanoseconds. */
const SAMPLE_NS = 60e6;

/** Measures a case: subject and baseline take turns, so that whatever else the machine does meets both. */
export async function measure(it: Case): Promise<Result> {
  const subject = await calibrate(it.subject);
  const baseline = it.baseline && (await calibrate(it.baseline));
  const taken: number[] = [];
  const compared: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    taken.push((await it.subject(subject)) / subject);
    if (it.baseline && baseline !== undefined)
      compared.push((await it.baseline(baseline)) / baseline);
  }
  const middle = median(taken);
  const other = compared.length > 0 ? median(compared) : null;
  return {
    name: it.name,
    unit: "ns",
    median: middle,
    min: Math.min(...taken),
    max: Math.max(...taken),
    baseline: other === null ? null : it.what,
    baselineMedian: other,
    ratio: other === null ? null : middle / other,
  };
}

/** How many times fill a sample. It also warms the code up. */
async function calibrate(sample: Sample): Promise<number> {
  let count = 1;
  // The first samples compile code: what they take says nothing.
  for (let i = 0; i < 5; i++) await sample(100);
  for (;;) {
    const took = Math.min(await sample(count), await sample(count));
    if (took > SAMPLE_NS / 4) return Math.max(1, Math.round((count * SAMPLE_NS) / took));
    count *= 4;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
