import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CommandSpecs } from "../command.ts";
import type { Reply } from "../connection.ts";
import type { ScoredMemberSchema } from "../gen/dropthrough/redis/v1/sorted_sets_pb.ts";
import { bytes, double, integer, list } from "../reply.ts";
import { atLeastOne, own, score, some, words } from "./arguments.ts";
import { cursorWord, pairs, readScan, scanWords } from "./scan.ts";
import { sortedSetIncrement } from "./sorted-set-increment.ts";
import { ends, rangeWords } from "./sorted-set-range.ts";

type ScoredMember = MessageInitShape<typeof ScoredMemberSchema>;

/** Members in the order (score, bytes). */
export const sortedSets: CommandSpecs<
  | "sortedSetAdd"
  | "sortedSetIncrement"
  | "sortedSetRange"
  | "sortedSetCard"
  | "sortedSetRemove"
  | "sortedSetScore"
  | "sortedSetRank"
  | "sortedSetCount"
  | "sortedSetPop"
  | "sortedSetRemoveRange"
  | "sortedSetScan"
> = {
  sortedSetAdd: {
    write: ({ key, members, condition, countChanged }, keys) => ({
      args: [
        "ZADD",
        keys.key(key),
        ...words(ADD_CONDITIONS, condition, "condition"),
        ...(countChanged ? ["CH"] : []),
        ...some(members, "member").flatMap((m) => [score(m.score, "a score"), own(m.member)]),
      ],
    }),
    read: (reply) => ({ added: integer(reply) }),
  },
  sortedSetIncrement,
  sortedSetRange: {
    write: (request, keys) => ({ args: ["ZRANGE", keys.key(request.key), ...rangeWords(request)] }),
    read: (reply, { withScores }) => ({
      members: list(reply).map((m) => (withScores ? scored(list(m)) : { member: bytes(m) })),
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
  sortedSetScore: {
    write: ({ key, members }, keys) => ({
      args: ["ZMSCORE", keys.key(key), ...some(members, "member").map(own)],
    }),
    read: (reply) => ({
      scores: list(reply).map((value) => (value === null ? {} : { score: double(value) })),
    }),
  },
  sortedSetRank: {
    write: ({ key, member, reverse }, keys) => ({
      args: [reverse ? "ZREVRANK" : "ZRANK", keys.key(key), own(member)],
    }),
    read: (reply) => (reply === null ? {} : { rank: integer(reply) }),
  },
  sortedSetCount: {
    write: ({ key, range }, keys) => ({
      args: [range.case === "lex" ? "ZLEXCOUNT" : "ZCOUNT", keys.key(key), ...ends(range)],
    }),
    read: (reply) => ({ members: integer(reply) }),
  },
  sortedSetPop: {
    write: ({ key, greatest, count }, keys) => ({
      args: [greatest ? "ZPOPMAX" : "ZPOPMIN", keys.key(key), atLeastOne(count)],
    }),
    read: (reply) => ({ members: list(reply).map((m) => scored(list(m))) }),
  },
  sortedSetRemoveRange: {
    write: ({ key, range }, keys) => {
      const found = ends(range);
      const by = { rank: "RANK", score: "SCORE", lex: "LEX" }[range.case ?? "rank"];
      return { args: [`ZREMRANGEBY${by}`, keys.key(key), ...found] };
    },
    read: (reply) => ({ removed: integer(reply) }),
  },
  sortedSetScan: {
    write: (request, keys) => ({
      args: ["ZSCAN", keys.key(request.key), cursorWord(request), ...scanWords(request)],
    }),
    read(reply) {
      const { cursor, found } = readScan(reply);
      return { cursor, members: pairs(found).map(scored) };
    },
  },
};

const ADD_CONDITIONS = ["", "NX", "XX", "GT", "LT", "XX GT", "XX LT"];

function scored([member, value]: readonly (Reply | undefined)[]): ScoredMember {
  return { member: bytes(member), score: double(value) };
}
