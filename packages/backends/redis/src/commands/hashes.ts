import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CommandSpecs } from "../command.ts";
import type { Reply } from "../connection.ts";
import type { FieldValueSchema } from "../gen/dropthrough/redis/v1/hashes_pb.ts";
import { bytes, double, integer, list, optionalValue } from "../reply.ts";
import { finite, own, some } from "./arguments.ts";
import { cursorWord, pairs, readScan, scanWords } from "./scan.ts";

type FieldValue = MessageInitShape<typeof FieldValueSchema>;

/** Fields and values under one key. */
export const hashes: CommandSpecs<
  | "hashGet"
  | "hashSet"
  | "hashSetIfAbsent"
  | "hashMultiGet"
  | "hashGetAll"
  | "hashDelete"
  | "hashExists"
  | "hashIncrement"
  | "hashIncrementFloat"
  | "hashKeys"
  | "hashValues"
  | "hashLength"
  | "hashScan"
> = {
  hashGet: {
    write: ({ key, field }, keys) => ({ args: ["HGET", keys.key(key), own(field)] }),
    read: (reply) => optionalValue(reply),
  },
  hashSet: {
    write: ({ key, fields }, keys) => ({
      args: [
        "HSET",
        keys.key(key),
        ...some(fields, "field").flatMap((f) => [own(f.field), own(f.value)]),
      ],
    }),
    read: (reply) => ({ added: integer(reply) }),
  },
  hashSetIfAbsent: {
    write: ({ key, field, value }, keys) => ({
      args: ["HSETNX", keys.key(key), own(field), own(value)],
    }),
    read: (reply) => ({ written: integer(reply) === 1n }),
  },
  hashMultiGet: {
    write: ({ key, fields }, keys) => ({
      args: ["HMGET", keys.key(key), ...some(fields, "field").map(own)],
    }),
    read: (reply) => ({ values: list(reply).map((value) => optionalValue(value)) }),
  },
  hashGetAll: {
    write: ({ key }, keys) => ({ args: ["HGETALL", keys.key(key)] }),
    read: (reply) => ({ fields: pairs(list(reply)).map(([field, value]) => pair(field, value)) }),
  },
  hashDelete: {
    write: ({ key, fields }, keys) => ({
      args: ["HDEL", keys.key(key), ...some(fields, "field").map(own)],
    }),
    read: (reply) => ({ deleted: integer(reply) }),
  },
  hashExists: {
    write: ({ key, field }, keys) => ({ args: ["HEXISTS", keys.key(key), own(field)] }),
    read: (reply) => ({ exists: integer(reply) === 1n }),
  },
  hashIncrement: {
    write: ({ key, field, by }, keys) => ({
      args: ["HINCRBY", keys.key(key), own(field), String(by ?? 1n)],
      exact: true,
    }),
    read: (reply) => ({ value: integer(reply) }),
  },
  hashIncrementFloat: {
    write: ({ key, field, by }, keys) => ({
      args: ["HINCRBYFLOAT", keys.key(key), own(field), finite(by, "by")],
    }),
    read: (reply) => ({ value: double(reply) }),
  },
  hashKeys: {
    write: ({ key }, keys) => ({ args: ["HKEYS", keys.key(key)] }),
    read: (reply) => ({ fields: list(reply).map(bytes) }),
  },
  hashValues: {
    write: ({ key }, keys) => ({ args: ["HVALS", keys.key(key)] }),
    read: (reply) => ({ values: list(reply).map(bytes) }),
  },
  hashLength: {
    write: ({ key }, keys) => ({ args: ["HLEN", keys.key(key)] }),
    read: (reply) => ({ fields: integer(reply) }),
  },
  hashScan: {
    write: (request, keys) => ({
      args: ["HSCAN", keys.key(request.key), cursorWord(request), ...scanWords(request)],
    }),
    read(reply) {
      const { cursor, found } = readScan(reply);
      return { cursor, fields: pairs(found).map(([field, value]) => pair(field, value)) };
    },
  },
};

function pair(field: Reply | undefined, value: Reply | undefined): FieldValue {
  return { field: bytes(field), value: bytes(value) };
}
