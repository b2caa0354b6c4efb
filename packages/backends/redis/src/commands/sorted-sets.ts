import type { CommandSpecs } from "../command.ts";
import type { Argument } from "../connection.ts";
import type {
  LexBound,
  ScoreBound,
  SortedSetRangeRequest,
} from "../gen/dropthrough/redis/v1/sorted_sets_pb.ts";
import { invalid, tooMany } from "../redis-error.ts";
import { bytes, double, integer, list } from "../reply.ts";
import { defineScript } from "../script.ts";
import { own, score, some, word } from "./arguments.ts";

/** Members in the order (score, bytes). */
export const sortedSets: CommandSpecs<
  "sortedSetAdd" | "sortedSetIncrement" | "sortedSetRange" | "sortedSetCard" | "sortedSetRemove"
> = {
  sortedSetAdd: {
    write: ({ key, members, condition, countChanged }, keys) => ({
      args: [
        "ZADD",
        keys.key(key),
        ...word(ADD_CONDITIONS, condition, "condition"),
        ...(countChanged ? ["CH"] : []),
        ...some(members, "member").flatMap((m) => [score(m.score, "a score"), own(m.member)]),
      ],
    }),
    read: (reply) => ({ added: integer(reply) }),
  },
  sortedSetIncrement: {
    write({ key, increments }, keys) {
      if (increments.length > MOST_INCREMENTS) {
        throw tooMany(`${increments.length} increments are above the limit of 100,000`, 1);
      }
      const args: Argument[] = ["EVALSHA", incrementAll.sha, "1", keys.key(key)];
      for (const { member, by } of some(increments, "increment")) {
        args.push(score(by, "an increment"), own(member));
      }
      return { args, script: incrementAll };
    },
    read: (reply) => ({ scores: list(reply).map((sum) => double(sum)) }),
  },
  sortedSetRange: {
    write: (request, keys) => ({ args: ["ZRANGE", keys.key(request.key), ...range(request)] }),
    read: (reply) => ({
      members: list(reply).map((entry) => {
        if (!Array.isArray(entry)) return { member: bytes(entry) };
        const [member, value] = list(entry);
        return { member: bytes(member), score: double(value) };
      }),
    }),
  },
  sortedSetCard: {
    write: ({ key }, keys) => ({ args: ["ZCARD", keys.key(key)] }),
    read: (reply) => ({ members: integer(reply) }),
  },
  sortedSetRemove: {
    write: ({ key, members }, keys) => ({
      args: ["ZREM", keys.key(key), ...some(members, "member").map(own)],
    }),
    read: (reply) => ({ removed: integer(reply) }),
  },
};

const ADD_CONDITIONS = ["", "NX", "XX", "GT", "LT", "XX GT", "XX LT"];
const MOST_INCREMENTS = 100_000;

/** Redis has no increment of many scores: a script is one command, so nothing comes between and no part is lost. */
const incrementAll = defineScript(
  `local sums = {}
for i = 1, #ARGV, 2 do sums[#sums + 1] = redis.call('ZINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
return sums`,
  (call, [key = Buffer.of()], values) => {
    const sums = [];
    for (let i = 0; i < values.length; i += 2) {
      sums.push(call("ZINCRBY", key, values[i] ?? "", values[i + 1] ?? ""));
    }
    return sums;
  },
);

function range(request: SortedSetRangeRequest): Argument[] {
  const { range: by, reverse, offset, limit, withScores } = request;
  const args: Argument[] = [];
  const limited = offset !== 0n || limit !== undefined;
  if (offset < 0n) throw invalid(`offset is ${offset}: it must not be below 0`);
  if (limit !== undefined && limit < 0n) throw invalid(`limit is ${limit}: leave it out for all`);
  switch (by.case) {
    case "rank":
      if (limited) throw invalid("a range by rank takes no offset and limit: its ends say as much");
      args.push(String(by.value.start), String(by.value.stop));
      break;
    case "score": {
      const min = scoreBound(by.value.min, "-inf");
      const max = scoreBound(by.value.max, "+inf");
      args.push(...(reverse ? [max, min] : [min, max]), "BYSCORE");
      break;
    }
    case "lex": {
      if (withScores) throw invalid("a range by bytes has no scores to answer: all are the same");
      const min = lexBound(by.value.min, "-");
      const max = lexBound(by.value.max, "+");
      args.push(...(reverse ? [max, min] : [min, max]), "BYLEX");
      break;
    }
    default:
      throw invalid("say which range: rank, score or lex");
  }
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
