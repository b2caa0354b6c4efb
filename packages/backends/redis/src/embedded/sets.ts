import type { Reply } from "../connection.ts";
import type { Database } from "./database.ts";
import type { EngineCommand, EngineCommands } from "./engine-command.ts";
import { toBytes } from "./reply-room.ts";
import { parseCount } from "./numbers.ts";
import { parseScan, scanPage } from "./scan.ts";

/** Members, each once. */
export const setCommands: EngineCommands = {
  SADD: {
    words: -3,
    run(db, [, key = "", ...members]) {
      const set = change(db, key);
      const before = set.size;
      for (const member of members) set.add(member);
      return set.size - before;
    },
  },
  SREM: {
    words: -3,
    run(db, [, key = "", ...members]) {
      const set = read(db, key);
      const removed = members.filter((member) => set.delete(member)).length;
      if (removed > 0) db.shrink(key, set.size);
      return removed;
    },
  },
  SMEMBERS: { words: 2, run: (db, [, key = ""]) => [...read(db, key)].map(toBytes) },
  SMISMEMBER: {
    words: -3,
    run(db, [, key = "", ...members]) {
      const set = read(db, key);
      return members.map((member) => (set.has(member) ? 1 : 0));
    },
  },
  SCARD: { words: 2, run: (db, [, key = ""]) => read(db, key).size },
  SPOP: {
    words: 3,
    run(db, [, key = "", count = ""]) {
      const wanted = parseCount(count);
      const set = read(db, key);
      const taken = choose(set, wanted);
      for (const member of taken) set.delete(member);
      if (taken.length > 0) db.shrink(key, set.size);
      return taken.map(toBytes);
    },
  },
  SRANDMEMBER: {
    words: 3,
    run: (db, [, key = "", count = ""]) => choose(read(db, key), parseCount(count)).map(toBytes),
  },
  SMOVE: {
    words: 4,
    run(db, [, from = "", to = "", member = ""]) {
      const set = db.get(from, "set");
      if (set === undefined) return 0;
      // The target is looked at first: nothing is taken that cannot be put.
      read(db, to);
      if (!set.delete(member)) return 0;
      db.shrink(from, set.size);
      change(db, to).add(member);
      return 1;
    },
  },
  SINTER: { words: -2, run: (db, [, ...keys]) => [...intersection(db, keys)].map(toBytes) },
  SUNION: { words: -2, run: (db, [, ...keys]) => [...union(db, keys)].map(toBytes) },
  SDIFF: { words: -2, run: (db, [, ...keys]) => [...difference(db, keys)].map(toBytes) },
  SINTERSTORE: store(intersection),
  SUNIONSTORE: store(union),
  SDIFFSTORE: store(difference),
  SSCAN: {
    words: -3,
    run: (db, words) =>
      scanPage(read(db, words[1] ?? ""), parseScan(words, 2), (member) => [toBytes(member)]),
  },
};

type Combine = (db: Database, keys: readonly string[]) => Set<string>;

function store(combine: Combine): EngineCommand {
  return {
    words: -3,
    run(db, [, target = "", ...keys]): Reply {
      const result = combine(db, keys);
      if (result.size === 0) db.delete(target);
      else db.set(target, "set", result);
      return result.size;
    },
  };
}

// Each reads all of its sets before it goes on, so that a key of another type is an error wherever it stands.

function intersection(db: Database, keys: readonly string[]): Set<string> {
  const [first = new Set<string>(), ...others] = keys.map((key) => read(db, key));
  return new Set([...first].filter((member) => others.every((other) => other.has(member))));
}

function union(db: Database, keys: readonly string[]): Set<string> {
  return new Set(keys.flatMap((key) => [...read(db, key)]));
}

function difference(db: Database, keys: readonly string[]): Set<string> {
  const [first = new Set<string>(), ...others] = keys.map((key) => read(db, key));
  return new Set([...first].filter((member) => !others.some((other) => other.has(member))));
}

/** Some of the members, each once, by chance. */
function choose(set: ReadonlySet<string>, most: number): string[] {
  const members = [...set];
  const count = Math.min(most, members.length);
  for (let i = 0; i < count; i++) {
    const other = i + Math.floor(Math.random() * (members.length - i));
    [members[i], members[other]] = [members[other] ?? "", members[i] ?? ""];
  }
  return members.slice(0, count);
}

function read(db: Database, key: string): Set<string> {
  return db.get(key, "set") ?? new Set<string>();
}

function change(db: Database, key: string): Set<string> {
  return db.grow(key, "set", () => new Set<string>());
}
