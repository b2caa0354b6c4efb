import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import { parseInteger } from "./numbers.ts";

/** Milliseconds in a unit, and whether the time is counted from 1970. */
const EXPIRIES = {
  EX: [1000, false],
  PX: [1, false],
  EXAT: [1000, true],
  PXAT: [1, true],
} as const;

/** Whether a flag of SET or GETEX says when a key expires. */
export function isExpiry(flag: string): flag is keyof typeof EXPIRIES {
  return Object.hasOwn(EXPIRIES, flag);
}

/** When, in milliseconds since 1970. */
export function expiryTime(
  db: Database,
  flag: keyof typeof EXPIRIES,
  value: string,
  command: string,
): number {
  const [scale, absolute] = EXPIRIES[flag];
  const time = Number(parseInteger(value)) * scale;
  if (time <= 0) throw new ReplyError(`ERR invalid expire time in '${command}' command`);
  return absolute ? time : db.now() + time;
}
