import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import type { EngineCommands } from "./engine-command.ts";
import { parseDouble } from "./numbers.ts";
import { syntaxError } from "./options.ts";
import { SortedSet } from "./sorted-set.ts";
import { range } from "./sorted-set-range.ts";

/** Members in the order (score, bytes). */
export const sortedSetCommands: EngineCommands = {
  ZADD: { words: -4, run: add },
  ZINCRBY: {
    words: 4,
    run(db, [, key = "", by = "", member = ""]) {
      const increment = parseDouble(by);
      const sum = (db.get(key, "zset")?.score(member) ?? 0) + increment;
      if (Number.isNaN(sum)) throw new ReplyError("ERR resulting score is not a number (NaN)");
      db.grow(key, "zset", () => new SortedSet()).set(member, sum);
      return sum;
    },
  },
  ZRANGE: { words: -4, run: range },
  ZCARD: { words: 2, run: (db, [, key = ""]) => db.get(key, "zset")?.size ?? 0 },
  ZREM: {
    words: -3,
    run(db, [, key = "", ...members]) {
      const set = db.get(key, "zset");
      if (set === undefined) return 0;
      const removed = members.filter((member) => set.delete(member)).length;
      db.shrink(key, set.size);
      return removed;
    },
  },
  ZSCORE: {
    words: 3,
    run: (db, [, key = "", member = ""]) => db.get(key, "zset")?.score(member) ?? null,
  },
};

const FLAGS = ["NX", "XX", "GT", "LT", "CH"];

function add(db: Database, words: readonly string[]): Reply {
  const [, key = ""] = words;
  let first = 2;
  while (FLAGS.includes(words[first]?.toUpperCase() ?? "")) first++;
  const flags = new Set(words.slice(2, first).map((flag) => flag.toUpperCase()));
  const [NX, XX, GT, LT, CH] = FLAGS.map((flag) => flags.has(flag));
  if (words.length === first || (words.length - first) % 2 !== 0) throw syntaxError();
  if ((NX && (XX || GT || LT)) || (GT && LT)) {
    throw new ReplyError("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  const scores = [];
  for (let i = first; i < words.length; i += 2) scores.push(parseDouble(words[i] ?? ""));
  const set = db.get(key, "zset") ?? new SortedSet();
  let count = 0;
  for (const [index, score] of scores.entries()) {
    const member = words[first + 2 * index + 1] ?? "";
    const before = set.score(member);
    if (before === undefined ? XX : NX) continue;
    if (before !== undefined && ((GT && score <= before) || (LT && score >= before))) continue;
    if (before === undefined || (CH && score !== before)) count++;
    set.set(member, score);
  }
  if (set.size > 0) db.grow(key, "zset", () => set);
  return count;
}
