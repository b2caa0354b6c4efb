/** Waits until something is done, whatever comes of it, or until it has taken so many milliseconds. */
export async function atMost(ms: number, done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([late, done.catch(() => {})]);
  clearTimeout(timer);
}
