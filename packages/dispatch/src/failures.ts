/**
 * Runs all of them, one after the other, whatever fails.
 *
 * @param message for several failures
 * @throws what failed; an AggregateError if several did
 */
export async function runAll(runs: Iterable<() => unknown>, message: string): Promise<void> {
  const failures: unknown[] = [];
  for (const run of runs) {
    try {
      await run();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, message);
}
