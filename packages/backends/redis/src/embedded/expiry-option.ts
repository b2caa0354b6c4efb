import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import { parseInteger } from "./numbers.ts";

/** Milliseconds in a unit, and whether the time is counted from 1970. */
const EXPIRIES = {
  EX: [1000n, false],
  PX: [1n, false],
  EXAT: [1000n, true],
  PXAT: [1n, true],
} as const;
const MOST = 2n ** 63n - 1n;

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
  const ms = parseInteger(value) * scale;
  if (ms <= 0n || ms > MOST) throw invalidTime(command);
  return absolute ? Number(ms) : timeAfter(db, ms, command);
}

/** When so many milliseconds will have passed, in milliseconds since 1970; it has to fit into 64 bits. */
export function timeAfter(db: Database, ms: bigint, command: string): number {
  const now = db.now();
  if (ms > MOST - BigInt(Math.floor(now))) throw invalidTime(command);
  return now + Number(ms);
}

function invalidTime(command: string): ReplyError {
  return new ReplyError(`ERR invalid expire time in '${command}' command`);
}
