const TIME = "2026-01-01T12:00:00.123Z";

/** A line as the log backend writes it. */
export function line(
  call: number | undefined,
  path: readonly number[],
  guest: string,
  msg: string,
  more: object = {},
): string {
  const [parent, ...above] = path.toReversed();
  const ancestors = above.toReversed();
  return JSON.stringify({
    level: 30,
    time: TIME,
    guest,
    instance: 1,
    ...(call !== undefined && { call }),
    ...(parent !== undefined && { parent }),
    ...(ancestors.length > 0 && { ancestors }),
    msg,
    ...more,
  });
}

/** Two calls at a time, each with one inside. */
export const RECORDS = [
  line(1, [], "client", "client begins"),
  line(4, [2], "facade", "facade begins", { attributes: { n: 3 } }),
  line(5, [3], "other", "other begins"),
  line(7, [2, 6], "store", "store begins"),
  line(9, [3, 8], "store", "store for other"),
  line(10, [2, 6], "store", "store ends"),
  line(11, [2], "facade", "facade ends"),
  line(12, [3], "other", "other ends"),
];
