/** The levels, the least important first. */
export const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** How much a record matters. */
export type LevelName = (typeof LEVELS)[number];

/** The least level that is written; `off` for none. */
export type Threshold = LevelName | "off";

/** Whether a record of a level is written where a threshold holds. */
export function reaches(level: LevelName, threshold: Threshold): boolean {
  return threshold !== "off" && LEVELS.indexOf(level) >= LEVELS.indexOf(threshold);
}

/**
 * Checks what an operator wrote, which no compiler sees if it comes from a file.
 *
 * @throws TypeError if it is no level
 */
export function checkThreshold(value: Threshold, where: string): Threshold {
  if (value === "off" || LEVELS.includes(value)) return value;
  throw new TypeError(`${where} is "${value as string}": write ${LEVELS.join(", ")} or off`);
}

/**
 * The same for the level of a record.
 *
 * @throws TypeError if it is no level
 */
export function checkLevel(value: LevelName): LevelName {
  if (LEVELS.includes(value)) return value;
  throw new TypeError(`the level is "${value as string}": write ${LEVELS.join(" or ")}`);
}
