import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import { addDecimals } from "./decimal.ts";
import type { EngineCommands } from "./engine-command.ts";
import { toBytes, toReply } from "./reply-room.ts";
import { expiryTime, isExpiry } from "./expiry-option.ts";
import { addIntegers, parseInteger } from "./numbers.ts";
import { Options, syntaxError } from "./options.ts";

/** The longest value of Redis, in bytes. */
const MOST = 512 * 1024 * 1024;

/** Values that are bytes. */
export const stringCommands: EngineCommands = {
  GET: { words: 2, run: (db, [, key = ""]) => toReply(db.get(key, "string")) },
  SET: { words: -3, run: set },
  MGET: {
    words: -2,
    run: (db, [, ...keys]) =>
      keys.map((key) => (db.typeOf(key) === "string" ? toReply(db.get(key, "string")) : null)),
  },
  MSET: {
    words: -3,
    run(db, words) {
      if (words.length % 2 === 0) {
        throw new ReplyError("ERR wrong number of arguments for 'mset' command");
      }
      for (let i = 1; i < words.length; i += 2)
        db.set(words[i] ?? "", "string", words[i + 1] ?? "");
      return "OK";
    },
  },
  INCRBY: {
    words: 3,
    run(db, [, key = "", by = ""]) {
      const sum = addIntegers(parseInteger(db.get(key, "string") ?? "0"), parseInteger(by));
      db.set(key, "string", String(sum), true);
      return sum;
    },
  },
  INCRBYFLOAT: {
    words: 3,
    run(db, [, key = "", by = ""]) {
      const sum = addDecimals(db.get(key, "string") ?? "0", by);
      db.set(key, "string", sum, true);
      return toBytes(sum);
    },
  },
  APPEND: {
    words: 3,
    run(db, [, key = "", more = ""]) {
      const value = db.get(key, "string") ?? "";
      if (value.length + more.length > MOST) {
        throw new ReplyError("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
      }
      db.set(key, "string", value + more, true);
      return value.length + more.length;
    },
  },
  GETDEL: {
    words: 2,
    run(db, [, key = ""]) {
      const value = db.get(key, "string");
      db.delete(key);
      return toReply(value);
    },
  },
  GETEX: { words: -2, run: getExpire },
};

function set(db: Database, words: readonly string[]): Reply {
  const [, key = "", value = ""] = words;
  const options = new Options(words, 3);
  let only: "NX" | "XX" | undefined;
  let get = false;
  let keepTtl = false;
  let expiresAt: number | undefined;
  for (let flag = options.flag(); flag !== undefined; flag = options.flag()) {
    if ((flag === "NX" || flag === "XX") && only === undefined) only = flag;
    else if (flag === "GET") get = true;
    else if (flag === "KEEPTTL" && expiresAt === undefined) keepTtl = true;
    else if (isExpiry(flag) && expiresAt === undefined && !keepTtl) {
      expiresAt = expiryTime(db, flag, options.value(), "set");
    } else throw syntaxError();
  }
  const previous = get ? toReply(db.get(key, "string")) : null;
  if (only !== undefined && db.has(key) !== (only === "XX")) return previous;
  db.set(key, "string", value, keepTtl);
  if (expiresAt !== undefined) db.expire(key, expiresAt);
  return get ? previous : "OK";
}

function getExpire(db: Database, words: readonly string[]): Reply {
  const [, key = ""] = words;
  const options = new Options(words, 2);
  const flag = options.flag();
  let expiresAt = (): number | undefined => undefined;
  if (flag !== undefined && isExpiry(flag)) {
    const time = options.value();
    expiresAt = () => expiryTime(db, flag, time, "getex");
  } else if (flag !== undefined && flag !== "PERSIST") throw syntaxError();
  if (options.flag() !== undefined) throw syntaxError();
  const value = db.get(key, "string");
  if (value !== undefined && flag !== undefined) db.expire(key, expiresAt());
  return toReply(value);
}
