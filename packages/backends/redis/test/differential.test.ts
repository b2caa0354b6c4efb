import { Code } from "@connectrpc/connect";
import { systemClock } from "@dropthrough/dispatch";
import { createClient, ErrorReply, RESP_TYPES } from "@redis/client";
import { afterAll, expect, test } from "vitest";
import type { Argument, Reply } from "../src/connection.ts";
import { Engine } from "../src/embedded/engine.ts";
import { fromReply, ReplyError } from "../src/redis-error.ts";
import { startRedisServer } from "../src/testing.ts";

const server = await startRedisServer();
const client = await createClient({ url: server.url, RESP: 3 }).connect();
afterAll(async () => {
  client.destroy();
  await server[Symbol.asyncDispose]();
});

const SEEDS = 20;
const COMMANDS = 1_500;
const typeMapping = {
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.NUMBER]: String,
  [RESP_TYPES.MAP]: Array,
};

/** What a word of a command may be, by the letter that stands for it below. */
const WORDS: Record<string, readonly string[]> = {
  k: ["a", "b", "c", "d"],
  // Sums of decimals, which a server rounds elsewhere when they have more than 19 digits.
  q: ["sum1", "sum2"],
  // Sorted sets whose members all have the same score: else a range by bytes means nothing.
  y: ["lex1", "lex2"],
  v: ["", "x", "1", "-7", "3.5", "9223372036854775807", "\u00ff\u0000", "yy", "1e3", " 1"],
  m: ["", "a", "b", "ab", "\u00ff", "Z", "z"],
  i: ["0", "1", "2", "-1", "-2", "5", "-100", "100"],
  s: ["0", "1", "-1", "2.5", "inf", "-inf", "1e300", "0.1", "nan", "x", "3"],
  f: ["0", "1", "-1", "2.5", "0.1", "-0.30", "1e3", "0.001", "1000000", "x"],
  b: ["-inf", "+inf", "0", "(1", "1", "(2.5", "(-1", "x", "3"],
  l: ["-", "+", "[a", "(a", "[b", "(\u00ff", "[", "(", "a"],
  n: ["0", "1", "-1", "3", "x"],
  // Times of day, so that it does not matter how long the test takes.
  t: ["99999999999999", "88888888888888", "-1", "0", "x"],
  c: ["NX", "XX", "GT", "LT", "CH", "nx"],
  e: ["NX", "XX", "GT", "LT"],
  o: ["NX", "XX", "GET", "KEEPTTL", "EX 100", "PX 100000", "PXAT 99999999999999", "PX 0", "BAD"],
  O: ["NX GET", "GET XX EX 9", "KEEPTTL XX", "NX XX", "EX 100 KEEPTTL", "NX PX 100000 GET"],
  g: ["", "PERSIST", "EX 100", "PXAT 99999999999999", "BAD"],
  r: ["", "REV", "WITHSCORES", "LIMIT 0 2", "REV LIMIT 1 1", "REV WITHSCORES", "LIMIT -1 2"],
  E: ["LEFT", "RIGHT", "left", "UP"],
  B: ["BEFORE", "AFTER", "IN"],
};

/** Commands with a letter for each word; those whose answer has no order are sorted before they are compared. */
const SHAPES = `
  GET k|SET k v|SET k v o|SET k v O|MGET k k|MSET k v k v|INCRBY k v|INCRBY k i|INCRBYFLOAT q f|SET q f|APPEND k v|GETDEL k|GETEX k g
  DEL k k|EXISTS k k|TYPE k|RENAME k k|RENAMENX k k|PEXPIREAT k t|PEXPIREAT k t e|PEXPIREAT k t e e|PERSIST k|PTTL k
  HGET k m|HSET k m v|HSET k m v m v|HSETNX k m v|HMGET k m m|HGETALL k|HDEL k m m|HEXISTS k m|HINCRBY k m i|HINCRBYFLOAT sum m f|HKEYS k|HVALS k|HLEN k
  LPUSH k v v|RPUSH k v|LPUSHX k v|RPUSHX k v|LPOP k n|RPOP k n|LLEN k|LRANGE k i i|LINDEX k i|LSET k i v|LTRIM k i i|LREM k n v|LINSERT k B v v|LMOVE k k E E
  SADD k m m|SREM k m m|SMEMBERS k|SMISMEMBER k m m|SCARD k|SMOVE k k m|SINTER k k|SUNION k k|SDIFF k k|SINTERSTORE k k k|SUNIONSTORE k k|SDIFFSTORE k k k
  ZADD k s m|ZADD k s m s m|ZADD k c s m|ZADD k c c s m s m|ZINCRBY k s m|ZRANGE k i i r|ZRANGE k b b BYSCORE r|ZADD y 0 m|ZADD y 0 m 0 m|ZRANGE y l l BYLEX r|ZCARD k|ZREM k m m
  ZMSCORE k m m|ZRANK k m|ZREVRANK k m|ZCOUNT k b b|ZLEXCOUNT y l l|ZPOPMIN k n|ZPOPMAX k n|ZREMRANGEBYRANK k i i|ZREMRANGEBYSCORE k b b|ZREMRANGEBYLEX y l l
`
  .trim()
  .split(/\s*[|\n]\s*/)
  .map((shape) => shape.split(" "));

const UNORDERED = new Set(["HGETALL", "HKEYS", "HVALS", "SMEMBERS", "SINTER", "SUNION", "SDIFF"]);

/** Numbers that look random and are the same each time (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

function randomCommand(random: (below: number) => number): string[] {
  const [name = "", ...letters] = SHAPES[random(SHAPES.length)] ?? [];
  const words = letters.flatMap((letter) => {
    const choices = WORDS[letter];
    if (choices === undefined) return [letter];
    const word = choices[random(choices.length)] ?? "";
    // Only options are several words, or none.
    return "oOgr".includes(letter) ? word.split(" ").filter(Boolean) : [word];
  });
  return [name, ...words];
}

/** An answer so that it can be compared: bytes as text, errors as the code that guests get. */
function shown(name: string, reply: Reply): unknown {
  if (reply instanceof Error) return `error ${Code[fromReply(reply).code]}`;
  // A server adds long doubles, whose last digits depend on its processor.
  if (name.endsWith("FLOAT")) return Number(Buffer.from(reply as Uint8Array)).toPrecision(12);
  if (reply instanceof Uint8Array) return `bytes ${Buffer.from(reply).toString("latin1")}`;
  if (name === "PTTL") return Math.min(Number(reply), 0);
  if (Array.isArray(reply)) {
    const items = reply.map((item) => shown("", item as Reply));
    return UNORDERED.has(name) ? items.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)) : items;
  }
  if (typeof reply === "number" || typeof reply === "bigint") return `number ${reply}`;
  return typeof reply === "string" && /^-?\d+$/.test(reply) ? `number ${reply}` : reply;
}

test.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
  `the embedded engine answers ${COMMANDS} commands as a server does, with seed %i`,
  async (seed) => {
    await client.flushAll();
    const engine = new Engine(systemClock, 2 ** 30);
    const random = randomOf(seed);
    const commands = Array.from({ length: COMMANDS }, () => randomCommand(random));
    const words = commands.map((command) =>
      command.map((word): Argument => Buffer.from(word, "latin1")),
    );
    const answers = await Promise.all(
      words.map((args) =>
        client.sendCommand<Reply>(args, { typeMapping }).catch((error: unknown) => {
          if (error instanceof ErrorReply) return error;
          throw error;
        }),
      ),
    );
    for (const [i, command] of commands.entries()) {
      const [name = ""] = command;
      let reply: Reply;
      try {
        reply = engine.run(words[i] ?? []);
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error;
        reply = error;
      }
      const text = `${i}: ${JSON.stringify(command)} (server: ${String(answers[i])})`;
      expect([text, shown(name, reply)]).toEqual([text, shown(name, answers[i] ?? null)]);
    }
  },
);
