import type { CommandSpecs } from "../command.ts";
import { bytes, integer, list } from "../reply.ts";
import { atLeastOne, own, some, word } from "./arguments.ts";
import { cursorWord, readScan, scanWords } from "./scan.ts";

/** Members, each once. */
export const sets: CommandSpecs<
  | "setAdd"
  | "setRemove"
  | "setMembers"
  | "setContains"
  | "setCard"
  | "setPop"
  | "setRandom"
  | "setMove"
  | "setCombine"
  | "setScan"
> = {
  setAdd: {
    write: ({ key, members }, keys) => ({
      args: ["SADD", keys.key(key), ...some(members, "member").map(own)],
    }),
    read: (reply) => ({ added: integer(reply) }),
  },
  setRemove: {
    write: ({ key, members }, keys) => ({
      args: ["SREM", keys.key(key), ...some(members, "member").map(own)],
    }),
    read: (reply) => ({ removed: integer(reply) }),
  },
  setMembers: {
    write: ({ key }, keys) => ({ args: ["SMEMBERS", keys.key(key)] }),
    read: (reply) => ({ members: list(reply).map(bytes) }),
  },
  setContains: {
    write: ({ key, members }, keys) => ({
      args: ["SMISMEMBER", keys.key(key), ...some(members, "member").map(own)],
    }),
    read: (reply) => ({ contained: list(reply).map((there) => integer(there) === 1n) }),
  },
  setCard: {
    write: ({ key }, keys) => ({ args: ["SCARD", keys.key(key)] }),
    read: (reply) => ({ members: integer(reply) }),
  },
  setPop: {
    write: ({ key, count }, keys) => ({ args: ["SPOP", keys.key(key), atLeastOne(count)] }),
    read: (reply) => ({ members: list(reply).map(bytes) }),
  },
  setRandom: {
    write: ({ key, count }, keys) => ({ args: ["SRANDMEMBER", keys.key(key), atLeastOne(count)] }),
    read: (reply) => ({ members: list(reply).map(bytes) }),
  },
  setMove: {
    write: ({ key, toKey, member }, keys) => ({
      args: ["SMOVE", keys.key(key), keys.key(toKey), own(member)],
    }),
    read: (reply) => ({ moved: integer(reply) === 1n }),
  },
  setCombine: {
    write({ keys: sources, operation, storeKey }, keys) {
      const from = keys.keys(some(sources, "key"));
      const name = word(["", "SINTER", "SUNION", "SDIFF"], operation, "operation");
      if (storeKey === undefined) return { args: [name, ...from] };
      return { args: [`${name}STORE`, keys.key(storeKey), ...from] };
    },
    read(reply, { storeKey }) {
      if (storeKey !== undefined) return { count: integer(reply) };
      const members = list(reply).map(bytes);
      return { members, count: BigInt(members.length) };
    },
  },
  setScan: {
    write: (request, keys) => ({
      args: ["SSCAN", keys.key(request.key), cursorWord(request), ...scanWords(request)],
    }),
    read(reply) {
      const { cursor, found } = readScan(reply);
      return { cursor, members: found.map(bytes) };
    },
  },
};
