import type { Argument } from "../connection.ts";
import type {
  LexBound,
  LexRange,
  RankRange,
  ScoreBound,
  ScoreRange,
  SortedSetRangeRequest,
} from "../gen/dropthrough/redis/v1/sorted_sets_pb.ts";
import { invalid } from "../redis-error.ts";
import { score } from "./arguments.ts";

/** A range of any kind. */
export type Range =
  | { readonly case: "rank"; readonly value: RankRange }
  | { readonly case: "score"; readonly value: ScoreRange }
  | { readonly case: "lex"; readonly value: LexRange }
  | { readonly case: undefined; readonly value?: undefined };

/** The two ends of a range, the lower one first. */
export function ends(range: Range): [Argument, Argument] {
  switch (range.case) {
    case "rank":
      return [String(range.value.start), String(range.value.stop)];
    case "score":
      return [scoreBound(range.value.min, "-inf"), scoreBound(range.value.max, "+inf")];
    case "lex":
      return [lexBound(range.value.min, "-"), lexBound(range.value.max, "+")];
    default:
      throw invalid("say which range: rank, score or lex");
  }
}

/** The words of ZRANGE after the key. */
export function rangeWords(request: SortedSetRangeRequest): Argument[] {
  const { range, reverse, offset, limit, withScores } = request;
  const [low, high] = ends(range);
  const byRank = range.case === "rank";
  const limited = offset !== 0n || limit !== undefined;
  if (byRank && limited) {
    throw invalid("a range by rank takes no offset and limit: its ends say as much");
  }
  if (offset < 0n) throw invalid(`offset is ${offset}: it must not be below 0`);
  if (limit !== undefined && limit < 0n) throw invalid(`limit is ${limit}: leave it out for all`);
  if (withScores && range.case === "lex") {
    throw invalid("a range by bytes has no scores to answer: all are the same");
  }
  const args: Argument[] = reverse && !byRank ? [high, low] : [low, high];
  if (!byRank) args.push(range.case === "score" ? "BYSCORE" : "BYLEX");
  if (reverse) args.push("REV");
  if (limited) args.push("LIMIT", String(offset), String(limit ?? -1n));
  if (withScores) args.push("WITHSCORES");
  return args;
}

function scoreBound(bound: ScoreBound | undefined, none: string): string {
  if (bound === undefined) return none;
  return (bound.exclusive ? "(" : "") + score(bound.score, "a bound");
}

function lexBound(bound: LexBound | undefined, none: string): Argument {
  if (bound === undefined) return none;
  return Buffer.concat([Buffer.from(bound.exclusive ? "(" : "["), bound.member]);
}
