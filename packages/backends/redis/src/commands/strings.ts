import type { CommandSpecs } from "../command.ts";
import { SetCondition } from "../gen/dropthrough/redis/v1/strings_pb.ts";
import { double, integer, list, optionalBytes, optionalValue } from "../reply.ts";
import { compareAndSet } from "./compare-and-set.ts";
import { expiryWords, finite, own, some, words } from "./arguments.ts";

/** Values that are bytes. */
export const strings: CommandSpecs<
  | "get"
  | "set"
  | "delete"
  | "exists"
  | "multiGet"
  | "multiSet"
  | "increment"
  | "incrementFloat"
  | "append"
  | "getDelete"
  | "getExpire"
  | "compareAndSet"
> = {
  get: {
    write: ({ key }, keys) => ({ args: ["GET", keys.key(key)] }),
    read: (reply) => optionalValue(reply),
  },
  set: {
    write: ({ key, value, expiry, condition, get }, keys) => ({
      args: [
        "SET",
        keys.key(key),
        own(value),
        ...words(SET_CONDITIONS, condition, "condition"),
        ...(get ? ["GET"] : []),
        ...expiryWords(expiry),
      ],
    }),
    read(reply, { condition, get }) {
      if (!get) return { written: reply !== null };
      const previous = optionalBytes(reply);
      const written =
        condition === SetCondition.UNSPECIFIED ||
        (condition === SetCondition.IF_PRESENT) === (previous !== undefined);
      return previous === undefined ? { written } : { written, previous };
    },
  },
  delete: {
    write: (request, keys) => ({ args: ["DEL", ...keys.keys(some(request.keys, "key"))] }),
    read: (reply) => ({ deleted: integer(reply) }),
  },
  exists: {
    write: (request, keys) => ({ args: ["EXISTS", ...keys.keys(some(request.keys, "key"))] }),
    read: (reply) => ({ existing: integer(reply) }),
  },
  multiGet: {
    write: (request, keys) => ({ args: ["MGET", ...keys.keys(some(request.keys, "key"))] }),
    read: (reply) => ({ values: list(reply).map((value) => optionalValue(value)) }),
  },
  multiSet: {
    write: ({ pairs }, keys) => ({
      args: ["MSET", ...some(pairs, "pair").flatMap((p) => [keys.key(p.key), own(p.value)])],
    }),
    read: () => ({}),
  },
  increment: {
    write: ({ key, by }, keys) => ({
      args: ["INCRBY", keys.key(key), String(by ?? 1n)],
      exact: true,
    }),
    read: (reply) => ({ value: integer(reply) }),
  },
  incrementFloat: {
    write: ({ key, by }, keys) => ({ args: ["INCRBYFLOAT", keys.key(key), finite(by, "by")] }),
    read: (reply) => ({ value: double(reply) }),
  },
  append: {
    write: ({ key, value }, keys) => ({ args: ["APPEND", keys.key(key), own(value)] }),
    read: (reply) => ({ length: integer(reply) }),
  },
  getDelete: {
    write: ({ key }, keys) => ({ args: ["GETDEL", keys.key(key)] }),
    read: (reply) => optionalValue(reply),
  },
  getExpire: {
    write: ({ key, expiry }, keys) => ({
      args: ["GETEX", keys.key(key), ...expiryWords(expiry)],
    }),
    read: (reply) => optionalValue(reply),
  },
  compareAndSet,
};

const SET_CONDITIONS = ["", "NX", "XX"];
