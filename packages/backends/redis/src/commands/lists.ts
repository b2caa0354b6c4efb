import type { CommandSpecs } from "../command.ts";
import type { ListEnd } from "../gen/dropthrough/redis/v1/lists_pb.ts";
import { bytes, integer, list, optionalValue } from "../reply.ts";
import { atLeastOne, own, some, word } from "./arguments.ts";

/** Values in order. */
export const lists: CommandSpecs<
  | "listPush"
  | "listPop"
  | "listRange"
  | "listLength"
  | "listIndex"
  | "listSet"
  | "listTrim"
  | "listRemove"
  | "listInsert"
  | "listMove"
> = {
  listPush: {
    write: ({ key, values, end, ifPresent }, keys) => ({
      args: [
        `${side(end)}PUSH${ifPresent ? "X" : ""}`,
        keys.key(key),
        ...some(values, "value").map(own),
      ],
    }),
    read: (reply) => ({ length: integer(reply) }),
  },
  listPop: {
    write: ({ key, end, count }, keys) => ({
      args: [`${side(end)}POP`, keys.key(key), atLeastOne(count)],
    }),
    read: (reply) => ({ values: reply === null ? [] : list(reply).map(bytes) }),
  },
  listRange: {
    write: ({ key, start, stop }, keys) => ({
      args: ["LRANGE", keys.key(key), String(start), String(stop)],
    }),
    read: (reply) => ({ values: list(reply).map(bytes) }),
  },
  listLength: {
    write: ({ key }, keys) => ({ args: ["LLEN", keys.key(key)] }),
    read: (reply) => ({ length: integer(reply) }),
  },
  listIndex: {
    write: ({ key, index }, keys) => ({ args: ["LINDEX", keys.key(key), String(index)] }),
    read: (reply) => optionalValue(reply),
  },
  listSet: {
    write: ({ key, index, value }, keys) => ({
      args: ["LSET", keys.key(key), String(index), own(value)],
    }),
    read: () => ({}),
  },
  listTrim: {
    write: ({ key, start, stop }, keys) => ({
      args: ["LTRIM", keys.key(key), String(start), String(stop)],
    }),
    read: () => ({}),
  },
  listRemove: {
    write: ({ key, value, count }, keys) => ({
      args: ["LREM", keys.key(key), String(count), own(value)],
    }),
    read: (reply) => ({ removed: integer(reply) }),
  },
  listInsert: {
    write: ({ key, pivot, value, after }, keys) => ({
      args: ["LINSERT", keys.key(key), after ? "AFTER" : "BEFORE", own(pivot), own(value)],
    }),
    read: (reply) => ({ length: integer(reply) }),
  },
  listMove: {
    write: ({ key, toKey, fromEnd, toEnd }, keys) => ({
      args: ["LMOVE", keys.key(key), keys.key(toKey), endWord(fromEnd), endWord(toEnd)],
    }),
    read: (reply) => optionalValue(reply),
  },
};

function endWord(which: ListEnd): string {
  return word(["", "LEFT", "RIGHT"], which, "end");
}

function side(which: ListEnd): string {
  return word(["", "L", "R"], which, "end");
}
