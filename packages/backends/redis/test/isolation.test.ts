import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { createClient } from "@redis/client";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { ListEnd, redis, SetOperation } from "../src/index.ts";
import { Keyspace } from "../src/keyspace.ts";
import { startRedisServer } from "../src/testing.ts";
import { scan } from "./rules/keys.ts";
import { b, fails, t } from "./rules/rule.ts";

const server = await startRedisServer();
const admin = await createClient({ url: server.url, RESP: 3 }).connect();
afterAll(async () => {
  admin.destroy();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => admin.flushAll());

/** Names of guests that try to be, or to look like, each other. */
const GUESTS = ["a", "a}:b", "{a}", "a*", "a:", "A", "*", "a%7D", "\u00e9"];
const EXECUTE = [
  "COPY",
  "DEL",
  "SORT",
  "KEYS",
  "RANDOMKEY",
  "OBJECT ENCODING",
  "OBJECT",
  "BITOP",
  "PFCOUNT",
  "SCAN",
];

describe("guests that have keys of their own", () => {
  test("do not see the keys of others, whatever their names are", async () => {
    await using backend = inMemory(redis({ url: server.url, isolate: true }));
    const keys = ["k", "b}:k", ":k", "b:k", "", "}:b}:k"];
    for (const name of GUESTS) {
      const { connectionId } = await backend.client(name).open({});
      for (const key of keys)
        await backend.client(name).set({ connectionId, key: b(key), value: b(name) });
    }
    expect(await admin.dbSize()).toBe(GUESTS.length * keys.length);
    for (const name of GUESTS) {
      const client = backend.client(name);
      const { connectionId } = await client.open({});
      expect(await scan({ client, connectionId })).toEqual(keys.toSorted());
      for (const key of keys)
        expect(t((await client.get({ connectionId, key: b(key) })).value)).toBe(name);
    }
  });

  test("cannot leave them with a pattern", async () => {
    const prefixes = ["*", "[a-z]", "\\", "?:", "^", "[^"];
    for (const prefix of prefixes) {
      await admin.flushAll();
      await using backend = inMemory(redis({ url: server.url, prefix }));
      const client = backend.client();
      const { connectionId } = await client.open({});
      await admin.mSet({ secret: "s", x: "x", ax: "x", [`${prefix}mine`]: "m", "x:mine": "x" });
      const patterns = ["", "*", "?*", "\\*", "[a-z]*", "*mine", "../*", "[^z]*", "*]", "\\"];
      const found = new Set<string>();
      for (const match of patterns) {
        for (const key of await scan({ client, connectionId }, { match: b(match), count: 1000 }))
          found.add(key);
      }
      expect([...found]).toEqual(["mine"]);
    }
  });

  test("cannot leave them with any call: the keys outside stay as they are, and unseen", async () => {
    const prefix = "mine:";
    const outside = { secret: "s", "other:k": "o" };
    await using backend = inMemory(redis({ url: server.url, prefix, execute: EXECUTE }));
    await admin.mSet(outside);
    const client = backend.client();
    const { connectionId } = await client.open({});
    const key = b("secret");
    const all = { connectionId, key };
    await client.delete({ connectionId, keys: [key, b("other:k"), b("../secret"), b("\0secret")] });
    expect((await client.get(all)).value).toBeUndefined();
    expect((await client.multiGet({ connectionId, keys: [key] })).values).toMatchObject([{}]);
    await fails(client.rename({ ...all, newKey: b("x") }), Code.NotFound);
    await client.set({ ...all, value: b("v") });
    await client.rename({ connectionId, key, newKey: b("other:k") });
    await client.listPush({ connectionId, key: b("l"), values: [b("v")], end: ListEnd.LEFT });
    await client.listMove({
      connectionId,
      key: b("l"),
      toKey: key,
      fromEnd: ListEnd.LEFT,
      toEnd: ListEnd.LEFT,
    });
    await client.setAdd({ connectionId, key: b("s"), members: [b("m")] });
    const keys = [b("s")];
    const operation = SetOperation.UNION;
    await client.setCombine({ connectionId, keys, operation, storeKey: key });
    await client.setMove({ connectionId, key: b("s"), toKey: b("other"), member: b("m") });
    await client.compareAndSet({ connectionId, key: b("cas"), value: b("v") });
    const { watchId } = await client.watch({ connectionId, keys: [key] });
    await admin.set("secret", "s");
    const commands = [{ command: { case: "get", value: { key } } } as const];
    await client.transaction({ connectionId, watchId, commands });
    for (const [name, value] of Object.entries(outside)) expect(await admin.get(name)).toBe(value);
    const names = await admin.keys("*");
    expect(names.filter((name) => !name.startsWith(prefix)).toSorted()).toEqual([
      "other:k",
      "secret",
    ]);
  });

  test("cannot leave them with Execute: keys get the prefix, and what has unknown keys is refused", async () => {
    await using backend = inMemory(redis({ url: server.url, prefix: "mine:", execute: EXECUTE }));
    await admin.mSet({ secret: "s" });
    const client = backend.client();
    const { connectionId } = await client.open({});
    const run = async (command: string, ...args: string[]): Promise<unknown> =>
      (await client.execute({ connectionId, command, arguments: args.map((a) => b(a)) })).reply
        ?.kind.value;
    expect(await run("COPY", "secret", "k")).toBe(0n);
    expect(await run("PFCOUNT", "secret", "secret")).toBe(0n);
    expect(await run("BITOP", "NOT", "k", "secret")).toBe(0n);
    expect(await run("OBJECT ENCODING", "secret")).toBeUndefined();
    for (const command of ["KEYS", "RANDOMKEY", "SORT", "SCAN", "OBJECT"]) {
      await fails(run(command, "*"), Code.FailedPrecondition);
    }
    expect(await run("DEL", "secret")).toBe(0n);
    expect(await admin.keys("*")).toEqual(["secret"]);
  });

  test("cannot leave them with a script of their own, unless the operator allows it", async () => {
    const script = { case: "source", value: "return redis.call('GET', 'secret')" } as const;
    await admin.set("secret", "s");
    for (const options of [{ prefix: "mine:" }, { isolate: true }]) {
      await using backend = inMemory(redis({ url: server.url, ...options }));
      const { connectionId } = await backend.client().open({});
      const call = backend.client().eval({ connectionId, script });
      expect((await fails(call, Code.PermissionDenied)).message).toContain("scripts of guests");
    }
  });

  test("hear only one another", async () => {
    for (const url of [server.url, "embedded:"]) {
      await using backend = inMemory(redis({ url, isolate: true }));
      const [a, other] = [backend.client("a"), backend.client("a*")];
      const { connectionId } = await a.open({});
      const theirs = (await other.open({})).connectionId;
      const channels = [b("c")];
      const mine = await a.subscribe({ connectionId, channels, patterns: [b("*")] });
      const sub = await other.subscribe({ connectionId: theirs, channels, patterns: [b("*")] });
      await other.publish({ connectionId: theirs, channel: b("c"), message: b("theirs") });
      await a.publish({ connectionId, channel: b("c"), message: b("mine") });
      for (const [client, subscriptionId, text] of [
        [a, mine.subscriptionId, "mine"],
        [other, sub.subscriptionId, "theirs"],
      ] as const) {
        const heard: string[] = [];
        while (heard.length < 2) {
          const { messages } = await client.poll({ subscriptionId, waitMs: 2_000 });
          expect(messages.length).toBeGreaterThan(0);
          heard.push(...messages.map((m) => `${t(m.pattern)} ${t(m.channel)} ${t(m.message)}`));
        }
        expect(heard.toSorted()).toEqual([`* c ${text}`, `undefined c ${text}`]);
      }
    }
  });
});

test("no guest's prefix is the start of another's", () => {
  const prefixes = GUESTS.map((name) => new Keyspace("app:", name).prefix.toString());
  for (const [i, prefix] of prefixes.entries()) {
    for (const [j, other] of prefixes.entries())
      expect(i !== j && other.startsWith(prefix)).toBe(false);
  }
});

test("a command that would disturb others cannot be listed", () => {
  for (const name of ["SELECT", "client list", "Subscribe", "BLPOP", "multi"]) {
    expect(() => redis({ execute: [name] })).toThrow("guests share their connections");
  }
});
