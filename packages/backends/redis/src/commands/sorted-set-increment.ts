import type { CommandSpecs } from "../command.ts";
import type { Argument } from "../connection.ts";
import { tooMany } from "../redis-error.ts";
import { double, list } from "../reply.ts";
import { defineScript } from "../script.ts";
import { own, score, some } from "./arguments.ts";
import { DEFAULT_REDIS_LIMITS } from "../redis-limits.ts";

const MOST = DEFAULT_REDIS_LIMITS.increments;

/** Redis has no increment of many scores: a script is one command, so nothing comes between and no part is lost. */
const script = defineScript(
  `local sums = {}
for i = 1, #ARGV, 2 do sums[#sums + 1] = redis.call('ZINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
return sums`,
  (call, [key = Buffer.of()], values) => {
    const sums = [];
    for (let i = 0; i < values.length; i += 2) {
      sums.push(call("ZINCRBY", key, values[i] ?? "", values[i + 1] ?? ""));
    }
    return sums;
  },
);

/** Adds to many scores in one go. */
export const sortedSetIncrement: CommandSpecs<"sortedSetIncrement">["sortedSetIncrement"] = {
  write({ key, increments }, keys) {
    if (increments.length > MOST) {
      throw tooMany(`${increments.length} increments are above the limit of 100,000`, 1);
    }
    const args: Argument[] = ["EVALSHA", script.sha, "1", keys.key(key)];
    for (const { member, by } of some(increments, "increment")) {
      args.push(score(by, "an increment"), own(member));
    }
    return { args, script };
  },
  read: (reply) => ({ scores: list(reply).map((sum) => double(sum)) }),
};
