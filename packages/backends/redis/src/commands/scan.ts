import type { Argument, Reply } from "../connection.ts";
import { invalid } from "../redis-error.ts";
import { DEFAULT_REDIS_LIMITS } from "../redis-limits.ts";
import { bytes, list } from "../reply.ts";
import { own } from "./arguments.ts";

const MOST = DEFAULT_REDIS_LIMITS.scanCount;

/** What every kind of scan is asked. */
export interface ScanRequest {
  readonly cursor: Uint8Array;
  readonly match: Uint8Array;
  readonly count: number;
}

/** The cursor, which is Redis's own: a number of 64 bits. Nothing else gets through. */
export function cursorWord({ cursor }: ScanRequest): string {
  if (cursor.length === 0) return "0";
  const text = Buffer.from(cursor).toString("latin1");
  if (!/^\d{1,20}$/.test(text)) throw invalid("that is no cursor: use what the last call answered");
  return text;
}

/** The words after the cursor. @param pattern what `match` becomes, where it is not left as it is */
export function scanWords(
  request: ScanRequest,
  pattern: Argument = own(request.match),
): Argument[] {
  const { count } = request;
  if (count > MOST) throw invalid(`count is ${count}: 10,000 is the most`);
  const match: Argument[] = pattern.length === 0 ? [] : ["MATCH", pattern];
  return [...match, ...(count === 0 ? [] : ["COUNT", String(count)])];
}

/** Where to go on, and what was found. */
export function readScan(reply: Reply): { cursor: Uint8Array; found: readonly Reply[] } {
  const [next, found] = list(reply);
  const cursor = bytes(next);
  const end = cursor.length === 1 && cursor[0] === ZERO;
  return { cursor: end ? new Uint8Array() : cursor, found: list(found) };
}

const ZERO = 0x30;

/** What was found two by two. */
export function pairs(
  found: readonly Reply[],
): (readonly [Reply | undefined, Reply | undefined])[] {
  return Array.from({ length: found.length / 2 }, (_, i) => [found[2 * i], found[2 * i + 1]]);
}
