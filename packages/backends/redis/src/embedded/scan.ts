import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import { toBytes } from "./reply-room.ts";
import { matches } from "./glob.ts";
import { parseInteger } from "./numbers.ts";
import { Options, syntaxError } from "./options.ts";

/** What a scan was asked for. */
export interface Scan {
  readonly cursor: number;
  readonly count: number;
  readonly match: string | undefined;
  readonly type: string | undefined;
}

/** Reads the words of a scan: its cursor stands at `at`. */
export function parseScan(words: readonly string[], at: number): Scan {
  const text = words[at] ?? "";
  if (!/^\d+$/.test(text)) throw new ReplyError("ERR invalid cursor");
  const options = new Options(words, at + 1);
  let count = 10;
  let match: string | undefined;
  let type: string | undefined;
  for (let flag = options.flag(); flag !== undefined; flag = options.flag()) {
    if (flag === "MATCH") match = options.value();
    else if (flag === "COUNT") count = Number(parseInteger(options.value()));
    else if (flag === "TYPE") type = options.value();
    else throw syntaxError();
  }
  if (count < 1) throw syntaxError();
  return { cursor: Number(text), count, match, type };
}

/**
 * One page. The walk goes by a digest of each item, so its cursor is a number and stays good whatever comes and goes;
 * items of one digest come together.
 *
 * @param show what an item is in the answer
 */
export function scanPage(
  items: Iterable<string>,
  { cursor, count, match }: Scan,
  show: (item: string) => Reply[],
): Reply {
  const ahead: [number, string][] = [];
  for (const item of items) {
    const place = digest(item);
    if (place >= cursor) ahead.push([place, item]);
  }
  ahead.sort(([a], [b]) => a - b);
  const last = ahead[count - 1]?.[0];
  const page = last === undefined ? ahead : ahead.filter(([place]) => place <= last);
  const next = last === undefined || page.length === ahead.length ? 0 : last + 1;
  const found = page.filter(([, item]) => match === undefined || matches(match, item));
  return [toBytes(String(next)), found.flatMap(([, item]) => show(item))];
}

/** FNV-1a, 32 bits. */
function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
