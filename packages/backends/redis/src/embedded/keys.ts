import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import type { EngineCommands } from "./engine-command.ts";
import { timeAfter } from "./expiry-option.ts";
import { toBytes } from "./reply-room.ts";
import { parseInteger } from "./numbers.ts";
import { Options, syntaxError } from "./options.ts";
import { parseScan, scanPage } from "./scan.ts";

/** Keys of any type, and how long they live. */
export const keyCommands: EngineCommands = {
  PING: { words: 1, run: () => "PONG" },
  DEL: { words: -2, run: (db, [, ...keys]) => keys.filter((key) => db.delete(key)).length },
  EXISTS: { words: -2, run: (db, [, ...keys]) => keys.filter((key) => db.has(key)).length },
  TYPE: { words: 2, run: (db, [, key = ""]) => db.typeOf(key) ?? "none" },
  RENAME: {
    words: 3,
    run(db, [, from = "", to = ""]) {
      if (!db.rename(from, to)) throw noSuchKey();
      return "OK";
    },
  },
  RENAMENX: {
    words: 3,
    run(db, [, from = "", to = ""]) {
      if (!db.has(from)) throw noSuchKey();
      return !db.has(to) && db.rename(from, to) ? 1 : 0;
    },
  },
  SCAN: {
    words: -2,
    run(db, words) {
      const scan = parseScan(words, 1);
      const type = scan.type?.toLowerCase();
      return scanPage(db.keys(), scan, (key) =>
        type === undefined || db.typeOf(key) === type ? [toBytes(key)] : [],
      );
    },
  },
  PEXPIRE: {
    words: -3,
    run: (db, words) => expire(db, words, timeAfter(db, parseInteger(words[2] ?? ""), "pexpire")),
  },
  PEXPIREAT: {
    words: -3,
    run: (db, words) => expire(db, words, Number(parseInteger(words[2] ?? ""))),
  },
  PERSIST: {
    words: 2,
    run(db, [, key = ""]) {
      if (db.expiry(key) === undefined) return 0;
      db.expire(key, undefined);
      return 1;
    },
  },
  PTTL: {
    words: 2,
    run(db, [, key = ""]) {
      if (!db.has(key)) return -2;
      const at = db.expiry(key);
      return at === undefined ? -1 : Math.round(at - db.now());
    },
  },
};

function expire(db: Database, words: readonly string[], at: number): Reply {
  const [, key = ""] = words;
  const options = new Options(words, 3);
  const flags = new Set<string>();
  for (let flag = options.flag(); flag !== undefined; flag = options.flag()) {
    if (!["NX", "XX", "GT", "LT"].includes(flag)) throw syntaxError();
    flags.add(flag);
  }
  if ((flags.has("NX") && flags.size > 1) || (flags.has("GT") && flags.has("LT"))) {
    throw new ReplyError("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (!db.has(key)) return 0;
  const before = db.expiry(key);
  if (flags.has("NX") && before !== undefined) return 0;
  if (flags.has("XX") && before === undefined) return 0;
  if (flags.has("GT") && at <= (before ?? Infinity)) return 0;
  if (flags.has("LT") && at >= (before ?? Infinity)) return 0;
  db.expire(key, at);
  return 1;
}

function noSuchKey(): ReplyError {
  return new ReplyError("ERR no such key");
}
