import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import type { EngineCommand, EngineCommands } from "./engine-command.ts";
import { toBytes } from "./reply-room.ts";
import { parseCount, parseDouble } from "./numbers.ts";
import { parseScan, scanPage } from "./scan.ts";
import { add } from "./sorted-set-add.ts";
import { membersOf, range, type RangeKind, select } from "./sorted-set-range.ts";
import { SortedSet } from "./sorted-set.ts";

/** Members in the order (score, bytes). */
export const sortedSetCommands: EngineCommands = {
  ZADD: { words: -4, run: add },
  ZINCRBY: {
    words: 4,
    run(db, [, key = "", by = "", member = ""]) {
      const sum = (db.get(key, "zset")?.score(member) ?? 0) + parseDouble(by);
      if (Number.isNaN(sum)) throw new ReplyError("ERR resulting score is not a number (NaN)");
      db.grow(key, "zset", () => new SortedSet()).set(member, sum);
      return sum;
    },
  },
  ZRANGE: { words: -4, run: range },
  ZCARD: { words: 2, run: (db, [, key = ""]) => read(db, key).size },
  ZREM: {
    words: -3,
    run: (db, [, key = "", ...members]) => removeAll(db, key, members),
  },
  ZMSCORE: {
    words: -3,
    run(db, [, key = "", ...members]) {
      const set = read(db, key);
      return members.map((member) => set.score(member) ?? null);
    },
  },
  ZRANK: rank(false),
  ZREVRANK: rank(true),
  ZCOUNT: count("SCORE"),
  ZLEXCOUNT: count("LEX"),
  ZPOPMIN: pop(false),
  ZPOPMAX: pop(true),
  ZREMRANGEBYRANK: removeRange("RANK"),
  ZREMRANGEBYSCORE: removeRange("SCORE"),
  ZREMRANGEBYLEX: removeRange("LEX"),
  ZSCAN: {
    words: -3,
    run(db, words) {
      const set = read(db, words[1] ?? "");
      const members = set.ordered().map(({ member }) => member);
      return scanPage(members, parseScan(words, 2), (member) => [
        toBytes(member),
        set.score(member) ?? 0,
      ]);
    },
  },
};

function rank(reverse: boolean): EngineCommand {
  return {
    words: 3,
    run(db, [, key = "", member = ""]) {
      const ordered = read(db, key).ordered();
      const place = ordered.findIndex((other) => other.member === member);
      if (place < 0) return null;
      return reverse ? ordered.length - 1 - place : place;
    },
  };
}

function count(kind: RangeKind): EngineCommand {
  return {
    words: 4,
    run: (db, [, key = "", low = "", high = ""]) =>
      select(read(db, key).ordered(), kind, low, high).length,
  };
}

function pop(greatest: boolean): EngineCommand {
  return {
    words: 3,
    run(db, [, key = "", most = ""]) {
      const wanted = parseCount(most);
      const ordered = read(db, key).ordered();
      const outermost = greatest ? ordered.toReversed() : ordered;
      const taken = outermost.slice(0, wanted);
      const answer = membersOf(taken, true);
      removeAll(
        db,
        key,
        taken.map(({ member }) => member),
      );
      return answer;
    },
  };
}

function removeRange(kind: RangeKind): EngineCommand {
  return {
    words: 4,
    run(db, [, key = "", low = "", high = ""]) {
      const found = select(read(db, key).ordered(), kind, low, high);
      return removeAll(
        db,
        key,
        found.map(({ member }) => member),
      );
    },
  };
}

function removeAll(db: Database, key: string, members: readonly string[]): number {
  const set = read(db, key);
  const removed = members.filter((member) => set.delete(member)).length;
  if (removed > 0) db.shrink(key, set.size);
  return removed;
}

function read(db: Database, key: string): SortedSet {
  return db.get(key, "zset") ?? new SortedSet();
}
