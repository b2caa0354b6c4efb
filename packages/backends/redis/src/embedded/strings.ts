import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import { type EngineCommands, toReply } from "./engine-command.ts";
import { addIntegers, parseInteger } from "./numbers.ts";
import { Options, syntaxError } from "./options.ts";

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
    else if (flag in EXPIRIES && expiresAt === undefined && !keepTtl) {
      const [scale, absolute] = EXPIRIES[flag as keyof typeof EXPIRIES];
      const time = Number(parseInteger(options.value())) * scale;
      if (time <= 0) throw new ReplyError("ERR invalid expire time in 'set' command");
      expiresAt = absolute ? time : db.now() + time;
    } else throw syntaxError();
  }
  const previous = get ? toReply(db.get(key, "string")) : null;
  if (only !== undefined && db.has(key) !== (only === "XX")) return previous;
  db.set(key, "string", value, keepTtl);
  if (expiresAt !== undefined) db.expire(key, expiresAt);
  return get ? previous : "OK";
}

/** Milliseconds in a unit, and whether the time is counted from 1970. */
const EXPIRIES = {
  EX: [1000, false],
  PX: [1, false],
  EXAT: [1000, true],
  PXAT: [1, true],
} as const;
