import type { Measured } from "./measure.ts";

/** One line of the table on the terminal. */
export function row({ result, more, missed }: Measured, bound: string, what: string): string {
  const { name, unit, median, min, max, ratio, baselineMedian } = result;
  const range = `(${amount(min, unit)} to ${amount(max, unit)})`;
  const figures = `${name.padEnd(26)} ${amount(median, unit).padStart(9)} ${range.padEnd(24)}`;
  if (ratio === null || baselineMedian === null) return `${figures} ${what}`;
  const against = `${ratio.toPrecision(3)} of ${amount(baselineMedian, unit)}`;
  const difference = bound.includes("more") ? `, ${amount(more ?? 0, unit)} more` : "";
  return `${figures} ${`${against}${difference}${bound}${missed === null ? "" : " ✗"}`.padEnd(40)} ${what}`;
}

/** What is good enough, in words. */
export function boundOf({ atMost, atMostMore }: { atMost?: number; atMostMore?: number }): string {
  if (atMost !== undefined) return ` (at most ${atMost})`;
  return atMostMore === undefined ? "" : ` (at most ${atMostMore} more)`;
}

/** A figure with its unit, as a person reads it. */
export function amount(value: number, unit: "ns" | "B"): string {
  const steps = unit === "ns" ? ["ns", "µs", "ms", "s"] : ["B", "kB", "MB", "GB"];
  let step = 0;
  let shown = value;
  while (Math.abs(shown) >= 10_000 && step < steps.length - 1) {
    shown /= 1000;
    step++;
  }
  return `${shown.toFixed(Math.abs(shown) < 100 ? 1 : 0)} ${steps[step]}`;
}
