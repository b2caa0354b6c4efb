import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import { toBytes } from "./engine-command.ts";
import { parseDouble, parseInteger } from "./numbers.ts";
import { Options, syntaxError } from "./options.ts";
import type { SortedSet } from "./sorted-set.ts";

type Places = ReturnType<SortedSet["ordered"]>;
type Place = Places[number];
/** Whether a place lies beyond an end of the range. */
type Beyond = (place: Place) => boolean;

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
  const byScore = flags.has("BYSCORE");
  const byLex = flags.has("BYLEX");
  if ((byScore && byLex) || (byLex && flags.has("WITHSCORES"))) throw syntaxError();
  if (limit !== undefined && !byScore && !byLex) throw syntaxError();
  const bounded = byScore || byLex;
  const [low, high] = flags.has("REV") && bounded ? [stop, start] : [start, stop];
  const ends = bounded ? (byScore ? scores(low, high) : members(low, high)) : undefined;
  const ranks = bounded ? undefined : ([whole(start), whole(stop)] as const);

  const ordered = db.get(key, "zset")?.ordered() ?? [];
  let found = ends === undefined ? ordered : between(ordered, ...ends);
  if (flags.has("REV")) found = found.toReversed();
  if (ranks !== undefined) found = slice(found, ...ranks);
  if (limit !== undefined) {
    const [offset, count] = limit;
    found = found.slice(offset, count < 0 ? undefined : offset + count);
  }
  return membersOf(found, flags.has("WITHSCORES"));
}

/** A range by rank: both ends are in it, and below 0 they count from the end. */
export function slice<T>(items: readonly T[], start: number, stop: number): readonly T[] {
  const from = start < 0 ? Math.max(0, items.length + start) : start;
  const to = stop < 0 ? items.length + stop : stop;
  return items.slice(from, Math.max(from, to + 1));
}

/** The places from the first that is not below, to the last that is not above. */
export function between(places: Places, below: Beyond, above: Beyond): Places {
  const from = firstThat(places, (place) => !below(place));
  return places.slice(from, Math.max(from, firstThat(places, above)));
}

/** The ends of a range of scores. */
export function scores(low: string, high: string): [Beyond, Beyond] {
  const [min, minOut] = scoreEnd(low);
  const [max, maxOut] = scoreEnd(high);
  return [
    ({ score }) => (minOut ? score <= min : score < min),
    ({ score }) => (maxOut ? score >= max : score > max),
  ];
}

/** The ends of a range of members. */
export function members(low: string, high: string): [Beyond, Beyond] {
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

/** The members of an answer: pairs with their scores, or themselves. */
export function membersOf(
  places: readonly { readonly member: string; readonly score: number }[],
  withScores: boolean,
): Reply[] {
  return places.map(({ member, score }) =>
    withScores ? [toBytes(member), score] : toBytes(member),
  );
}
