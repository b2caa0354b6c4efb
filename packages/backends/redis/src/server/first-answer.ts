/** So much of the time that one may take goes by before the next one is asked too. */
const LATE = 1 / 8;

/**
 * Asks one after the other. The next one is asked when the last one has failed, or is late: one that hangs would keep
 * everybody waiting. The first answer counts.
 *
 * @param mostMs how long each may take, in milliseconds
 * @throws what the last one failed with
 */
export async function firstAnswer<T>(
  asks: readonly (() => Promise<T>)[],
  mostMs: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      let begun = 0;
      let failed = 0;
      const next = (): void => {
        clearTimeout(timer);
        const ask = asks[begun++];
        if (ask === undefined) return;
        timer = setTimeout(next, mostMs * LATE);
        ask().then(
          (answer) => {
            // What fails after it makes nobody ask the next.
            begun = asks.length;
            resolve(answer);
          },
          (error: unknown) => {
            if (++failed === asks.length) reject(error);
            else next();
          },
        );
      };
      if (asks.length === 0) reject(new Error("there is nobody to ask"));
      next();
    });
  } finally {
    clearTimeout(timer);
  }
}
