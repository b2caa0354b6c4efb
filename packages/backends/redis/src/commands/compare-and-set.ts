import type { CommandSpecs } from "../command.ts";
import type { Argument } from "../connection.ts";
import { integer, list, optionalBytes } from "../reply.ts";
import { defineScript } from "../script.ts";
import { expiryWords, own } from "./arguments.ts";

/**
 * Redis has no such command: WATCH would need a connection for each caller and a try for each change, so it is a script.
 * ARGV: whether a value is expected, which; whether one is to be written, which, and the words of SET after it.
 */
const script = defineScript(
  `local was = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if was ~= ARGV[2] then return {0, was} end
elseif was then
  return {0, was}
end
if ARGV[3] == '1' then redis.call('SET', KEYS[1], unpack(ARGV, 4)) else redis.call('DEL', KEYS[1]) end
return {1, was}`,
  (call, [key = Buffer.of()], [expects, expected = "", writes, ...set]) => {
    const was = call("GET", key);
    const same =
      was instanceof Uint8Array ? Buffer.compare(was, Buffer.from(expected)) === 0 : false;
    if (expects === "1" ? !same : was !== null) return [0, was];
    if (writes === "1") call("SET", key, ...set);
    else call("DEL", key);
    return [1, was];
  },
);

/** Writes a value if the one that is there is the expected one. */
export const compareAndSet: CommandSpecs<"compareAndSet">["compareAndSet"] = {
  write({ key, expected, value, expiry }, keys) {
    const args: Argument[] = ["EVALSHA", script.sha, "1", keys.key(key)];
    args.push(...(expected === undefined ? ["0", ""] : ["1", own(expected)]));
    // A wrong expiry is refused whether it is used or not.
    const until = expiryWords(expiry);
    args.push(...(value === undefined ? ["0"] : ["1", own(value), ...until]));
    return { args, script };
  },
  read(reply) {
    const [swapped, was] = list(reply);
    const previous = optionalBytes(was);
    return { swapped: integer(swapped) === 1n, ...(previous !== undefined && { previous }) };
  },
};
