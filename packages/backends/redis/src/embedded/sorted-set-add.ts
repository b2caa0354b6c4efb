import type { Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Database } from "./database.ts";
import { parseDouble } from "./numbers.ts";
import { syntaxError } from "./options.ts";
import { SortedSet } from "./sorted-set.ts";

const FLAGS = ["NX", "XX", "GT", "LT", "CH"];

/** ZADD key [NX | XX] [GT | LT] [CH] score member [score member …] */
export function add(db: Database, words: readonly string[]): Reply {
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
  let changed = 0;
  for (const [index, score] of scores.entries()) {
    const member = words[first + 2 * index + 1] ?? "";
    const before = set.score(member);
    if (before === undefined ? XX : NX) continue;
    if (before !== undefined && ((GT && score <= before) || (LT && score >= before))) continue;
    if (before === undefined) count++;
    if (before !== score) changed++;
    set.set(member, score);
  }
  if (changed > 0) db.grow(key, "zset", () => set);
  return CH ? changed : count;
}
