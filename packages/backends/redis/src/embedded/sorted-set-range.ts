import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import { toBytes } from "./reply-room.ts";
import { parseDouble, parseInteger } from "./numbers.ts";
import { Options, syntaxError } from "./options.ts";
import { slice } from "./slice.ts";
import type { SortedSet } from "./sorted-set.ts";

/** Members in their order. */
export type Places = ReturnType<SortedSet["ordered"]>;
/** Whether a place lies beyond an end of a range. */
type Beyond = (place: Places[number]) => boolean;
/** What a range is counted by. */
export type RangeKind = "RANK" | "SCORE" | "LEX";

/** ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES] */
export function range(db: Database, words: readonly string[]): Reply {
  const [, key = "", start = "", stop = ""] = words;
  const flags = new Set<string>();
  let limit: readonly [number, number] | undefined;
  const options = new Options(words, 4);
  for (let flag = options.flag(); flag !== undefined; flag = options.flag()) {
    if (flag === "LIMIT") limit = [whole(options.value()), whole(options.value())];
    else if (["BYSCORE", "BYLEX", "REV", "WITHSCORES"].includes(flag)) flags.add(flag);
    else throw syntaxError();
  }
  const reverse = flags.has("REV");
  const kind = flags.has("BYSCORE") ? "SCORE" : flags.has("BYLEX") ? "LEX" : "RANK";
  if (flags.has("BYLEX") && (kind === "SCORE" || flags.has("WITHSCORES"))) throw syntaxError();
  if (kind === "RANK" && limit !== undefined) throw syntaxError();
  const ordered = db.get(key, "zset")?.ordered() ?? [];
  let found =
    kind === "RANK"
      ? select(reverse ? ordered.toReversed() : ordered, kind, start, stop)
      : select(ordered, kind, ...(reverse ? ([stop, start] as const) : ([start, stop] as const)));
  if (reverse && kind !== "RANK") found = found.toReversed();
  if (limit !== undefined) {
    const [offset, count] = limit;
    // Below 0 there is nothing, not even from the end.
    found = offset < 0 ? [] : found.slice(offset, count < 0 ? undefined : offset + count);
  }
  return membersOf(found, flags.has("WITHSCORES"));
}

/** The places from one end to the other. */
export function select(places: Places, kind: RangeKind, low: string, high: string): Places {
  if (kind === "RANK") return slice(places, whole(low), whole(high));
  const [below, above] = kind === "SCORE" ? scores(low, high) : members(low, high);
  const from = firstThat(places, (place) => !below(place));
  return places.slice(from, Math.max(from, firstThat(places, above)));
}

/** The members of an answer: pairs with their scores, or themselves. */
export function membersOf(places: Places, withScores: boolean): Reply[] {
  return places.map(({ member, score }) =>
    withScores ? [toBytes(member), score] : toBytes(member),
  );
}

function scores(low: string, high: string): [Beyond, Beyond] {
  const [min, minOut] = scoreEnd(low);
  const [max, maxOut] = scoreEnd(high);
  return [
    ({ score }) => (minOut ? score <= min : score < min),
    ({ score }) => (maxOut ? score >= max : score > max),
  ];
}

function members(low: string, high: string): [Beyond, Beyond] {
  const [min, minOut, minAll] = memberEnd(low);
  const [max, maxOut, maxAll] = memberEnd(high);
  return [
    ({ member }) =>
      minAll === "+" || (minAll === undefined && (minOut ? member <= min : member < min)),
    ({ member }) =>
      maxAll === "-" || (maxAll === undefined && (maxOut ? member >= max : member > max)),
  ];
}

function scoreEnd(text: string): readonly [number, boolean] {
  const out = text.startsWith("(");
  return [parseDouble(out ? text.slice(1) : text, "ERR min or max is not a float"), out];
}

function memberEnd(text: string): readonly [string, boolean, string?] {
  if (text === "-" || text === "+") return ["", false, text];
  if (text[0] === "(" || text[0] === "[") return [text.slice(1), text[0] === "("];
  throw new ReplyError("ERR min or max not valid string range item");
}

/** By halves: the place of the first that fulfils a test which all after it fulfil too. */
function firstThat(places: Places, test: Beyond): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const place = places[middle];
    if (place !== undefined && test(place)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function whole(text: string): number {
  return Number(parseInteger(text));
}
