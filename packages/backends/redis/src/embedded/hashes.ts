import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import { addDecimals } from "./decimal.ts";
import type { EngineCommands } from "./engine-command.ts";
import { toBytes, toReply } from "./reply-room.ts";
import { addIntegers, parseInteger } from "./numbers.ts";
import { parseScan, scanPage } from "./scan.ts";

/** Fields and values under one key. */
export const hashCommands: EngineCommands = {
  HGET: { words: 3, run: (db, [, key = "", field = ""]) => toReply(read(db, key).get(field)) },
  HSET: {
    words: -4,
    run(db, [, key = "", ...pairs]) {
      if (pairs.length % 2 !== 0) {
        throw new ReplyError("ERR wrong number of arguments for 'hset' command");
      }
      const hash = change(db, key);
      const before = hash.size;
      for (let i = 0; i < pairs.length; i += 2) hash.set(pairs[i] ?? "", pairs[i + 1] ?? "");
      return hash.size - before;
    },
  },
  HSETNX: {
    words: 4,
    run(db, [, key = "", field = "", value = ""]) {
      if (read(db, key).has(field)) return 0;
      change(db, key).set(field, value);
      return 1;
    },
  },
  HMGET: {
    words: -3,
    run(db, [, key = "", ...fields]) {
      const hash = read(db, key);
      return fields.map((field) => toReply(hash.get(field)));
    },
  },
  HGETALL: {
    words: 2,
    run: (db, [, key = ""]) =>
      [...read(db, key)].flatMap(([field, value]) => [toBytes(field), toBytes(value)]),
  },
  HDEL: {
    words: -3,
    run(db, [, key = "", ...fields]) {
      const hash = read(db, key);
      const deleted = fields.filter((field) => hash.delete(field)).length;
      if (deleted > 0) db.shrink(key, hash.size);
      return deleted;
    },
  },
  HEXISTS: {
    words: 3,
    run: (db, [, key = "", field = ""]) => (read(db, key).has(field) ? 1 : 0),
  },
  HINCRBY: {
    words: 4,
    run(db, [, key = "", field = "", by = ""]) {
      const value = parseInteger(
        read(db, key).get(field) ?? "0",
        "ERR hash value is not an integer",
      );
      const sum = addIntegers(value, parseInteger(by));
      change(db, key).set(field, String(sum));
      return sum;
    },
  },
  HINCRBYFLOAT: {
    words: 4,
    run(db, [, key = "", field = "", by = ""]) {
      const sum = addDecimals(read(db, key).get(field) ?? "0", by);
      change(db, key).set(field, sum);
      return toBytes(sum);
    },
  },
  HKEYS: { words: 2, run: (db, [, key = ""]) => [...read(db, key).keys()].map(toBytes) },
  HVALS: { words: 2, run: (db, [, key = ""]) => [...read(db, key).values()].map(toBytes) },
  HLEN: { words: 2, run: (db, [, key = ""]) => read(db, key).size },
  HSCAN: {
    words: -3,
    run(db, words) {
      const hash = read(db, words[1] ?? "");
      return scanPage(hash.keys(), parseScan(words, 2), (field) => [
        toBytes(field),
        toBytes(hash.get(field) ?? ""),
      ]);
    },
  },
};

/** The hash, or an empty one that nobody keeps. */
function read(db: Database, key: string): Map<string, string> {
  return db.get(key, "hash") ?? new Map<string, string>();
}

function change(db: Database, key: string): Map<string, string> {
  return db.grow(key, "hash", () => new Map<string, string>());
}
