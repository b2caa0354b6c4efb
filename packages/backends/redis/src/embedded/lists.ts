import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import type { EngineCommand, EngineCommands } from "./engine-command.ts";
import { toBytes, toReply } from "./reply-room.ts";
import { parseCount, parseInteger } from "./numbers.ts";
import { syntaxError } from "./options.ts";
import { slice } from "./slice.ts";

/** Values in order. */
export const listCommands: EngineCommands = {
  LPUSH: push("LEFT", false),
  RPUSH: push("RIGHT", false),
  LPUSHX: push("LEFT", true),
  RPUSHX: push("RIGHT", true),
  LPOP: pop("LEFT"),
  RPOP: pop("RIGHT"),
  LLEN: { words: 2, run: (db, [, key = ""]) => read(db, key).length },
  LRANGE: {
    words: 4,
    run: (db, [, key = "", start = "", stop = ""]) =>
      slice(read(db, key), whole(start), whole(stop)).map(toBytes),
  },
  LINDEX: {
    words: 3,
    run: (db, [, key = "", index = ""]) => toReply(read(db, key).at(whole(index))),
  },
  LSET: {
    words: 4,
    run(db, [, key = "", index = "", value = ""]) {
      const list = db.get(key, "list");
      if (list === undefined) throw new ReplyError("ERR no such key");
      const place = whole(index) < 0 ? list.length + whole(index) : whole(index);
      if (place < 0 || place >= list.length) throw new ReplyError("ERR index out of range");
      change(db, key)[place] = value;
      return "OK";
    },
  },
  LTRIM: {
    words: 4,
    run(db, [, key = "", start = "", stop = ""]) {
      const list = db.get(key, "list");
      if (list === undefined) return "OK";
      const kept = slice(list, whole(start), whole(stop));
      list.splice(0, list.length, ...kept);
      db.shrink(key, list.length);
      return "OK";
    },
  },
  LREM: { words: 4, run: remove },
  LINSERT: {
    words: 5,
    run(db, [, key = "", where = "", pivot = "", value = ""]) {
      if (!["BEFORE", "AFTER"].includes(where.toUpperCase())) throw syntaxError();
      const list = db.get(key, "list");
      if (list === undefined) return 0;
      const place = list.indexOf(pivot);
      if (place < 0) return -1;
      change(db, key).splice(where.toUpperCase() === "AFTER" ? place + 1 : place, 0, value);
      return list.length;
    },
  },
  LMOVE: {
    words: 5,
    run(db, [, from = "", to = "", fromEnd = "", toEnd = ""]) {
      for (const end of [fromEnd, toEnd]) {
        if (!["LEFT", "RIGHT"].includes(end.toUpperCase())) throw syntaxError();
      }
      const list = db.get(from, "list");
      if (list === undefined) return null;
      // The target is looked at first: nothing is taken that cannot be put.
      db.get(to, "list");
      const value = take(list, fromEnd);
      db.shrink(from, list.length);
      if (value !== undefined) put(change(db, to), toEnd, value);
      return toReply(value);
    },
  },
};

function push(end: string, ifPresent: boolean): EngineCommand {
  return {
    words: -3,
    run(db, [, key = "", ...values]) {
      if (ifPresent && read(db, key).length === 0) return 0;
      const list = change(db, key);
      for (const value of values) put(list, end, value);
      return list.length;
    },
  };
}

function pop(end: string): EngineCommand {
  return {
    words: 3,
    run(db, [, key = "", count = ""]) {
      const wanted = parseCount(count);
      const list = db.get(key, "list");
      if (list === undefined) return null;
      const most = Math.min(wanted, list.length);
      const taken = Array.from({ length: most }, () => take(list, end) ?? "");
      db.shrink(key, list.length);
      return taken.map(toBytes);
    },
  };
}

function remove(db: Database, [, key = "", countWord = "", value = ""]: readonly string[]): Reply {
  const list = read(db, key);
  const count = whole(countWord);
  const places = list.flatMap((element, place) => (element === value ? [place] : []));
  const chosen = count < 0 ? places.slice(count) : places.slice(0, count || undefined);
  // From the right, so that the places to the left stay true.
  for (const place of chosen.toReversed()) list.splice(place, 1);
  if (chosen.length > 0) db.shrink(key, list.length);
  return chosen.length;
}

function take(list: string[], end: string): string | undefined {
  return end.toUpperCase() === "LEFT" ? list.shift() : list.pop();
}

function put(list: string[], end: string, value: string): void {
  if (end.toUpperCase() === "LEFT") list.unshift(value);
  else list.push(value);
}

function read(db: Database, key: string): string[] {
  return db.get(key, "list") ?? [];
}

function change(db: Database, key: string): string[] {
  return db.grow(key, "list", () => []);
}

function whole(text: string): number {
  return Number(parseInteger(text));
}
