const FIRST_MS = 50;
export const MOST_MS = 2_000;

/**
 * Milliseconds until the next try to connect: doubling from 50 to 2,000, of which a random half is left out, so that
 * many hosts do not come back at the same moment.
 */
export function backoff(retries: number, random: () => number = Math.random): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(retries, 10));
  return most * (0.5 + random() / 2);
}
