import { WORSE } from "./plan.ts";

/** What to do when a call has become slower on purpose, or faster. */
export const HINT =
  "run `pnpm bench:guard --write` and commit bench/results/guard.json, with the reason in the message";

/**
 * Compares a figure with the committed one.
 *
 * @returns one line, and whether it is good enough
 */
export function verdict(
  name: string,
  figure: number,
  committed: number | undefined,
): { good: boolean; line: string } {
  if (committed === undefined)
    return { good: false, line: `${name}: ${figure} instructions, and none committed: ${HINT}` };
  const change = figure / committed - 1;
  const percent = `${change < 0 ? "" : "+"}${(change * 100).toFixed(1)} %`;
  const line = `${name}: ${figure} instructions per call, ${committed} committed (${percent})`;
  if (!(figure <= committed * (1 + WORSE)))
    return {
      good: false,
      line: `${line}: more than ${WORSE * 100} % worse. If it has to be, ${HINT}`,
    };
  return { good: true, line: change < -WORSE ? `${line}: better. To keep it, ${HINT}` : line };
}
