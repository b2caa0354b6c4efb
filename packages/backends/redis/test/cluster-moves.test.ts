import { type Client, Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, beforeEach, expect, test } from "vitest";
import { redis, type RedisService } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { startRedisCluster } from "./cluster.ts";
import { b, fails, t } from "./rules/rule.ts";

const cluster = await startRedisCluster();
afterAll(() => cluster[Symbol.asyncDispose]());
beforeEach(() => cluster.flush());
const connections = { default: { cluster: cluster.nodes.map(({ url }) => url) } };

/** Every kind of call on one key, which is a number: the number after it. */
async function useAll(client: Client<typeof RedisService>, key: Uint8Array): Promise<number> {
  const commands = [{ command: { case: "increment", value: { key } } } as const];
  const { value } = await client.increment({ key });
  const { results } = await client.pipeline({ commands });
  expect(results.map(({ result }) => result.case)).toEqual(["increment"]);
  const done = await client.transaction({ commands });
  expect(done.results.map(({ result }) => result.case)).toEqual(["increment"]);
  const { values } = await client.multiGet({ keys: [key, b("elsewhere")] });
  expect(t(values[0]?.value)).toBe(String(value + 2n));
  return Number(value + 2n);
}

test("a slot that moves, and one that has moved, is followed by calls of every kind", async () => {
  await using backend = inMemory(redis({ connections }));
  await using watching = inMemory(redis({ connections }));
  const client = backend.client();
  const watcher = watching.client();
  const key = b("moving");
  const commands = [{ command: { case: "increment", value: { key } } } as const];
  expect(await useAll(client, key)).toBe(3);
  const first = await watcher.watch({ keys: [key] });
  await watcher.unwatch({ watchId: first.watchId });
  await cluster.move("moving", async () => {
    expect(await useAll(client, key)).toBe(6);
  });
  expect(await useAll(client, key)).toBe(9);
  // This one has asked for nothing else since, which would have told it.
  const { watchId } = await watcher.watch({ keys: [key] });
  const { results } = await watcher.transaction({ commands, watchId });
  expect(results.map(({ result }) => result.case)).toEqual(["increment"]);
  expect(await useAll(client, key)).toBe(13);
});

test("many calls while a slot moves are answered, and each is done once", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const key = b("counted");
  await client.increment({ key });
  const given: Promise<unknown>[] = [];
  const ended = new AbortController();
  const steady = (async () => {
    while (!ended.signal.aborted) {
      for (let i = 0; i < 20; i++) given.push(client.increment({ key }));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await cluster.move("counted", async () => {});
  ended.abort();
  await steady;
  const answered = await Promise.all(given);
  expect(answered.length).toBeGreaterThan(20);
  expect(t((await client.get({ key })).value)).toBe(String(answered.length + 1));
});

test("commands of one pipeline on one key keep their order, whether they have one key or several", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const keys = [b("one"), b("two"), b("three")];
  const [key] = keys;
  if (key === undefined) throw new Error("no key");
  await client.set({ key, value: b("old") });
  const { results } = await client.pipeline({
    commands: [
      { command: { case: "multiGet", value: { keys } } },
      { command: { case: "set", value: { key, value: b("new") } } },
      { command: { case: "multiGet", value: { keys } } },
      { command: { case: "delete", value: { keys } } },
      { command: { case: "set", value: { key, value: b("last") } } },
    ],
  });
  const read = results.map(({ result }) =>
    result.case === "multiGet" ? t(result.value.values[0]?.value) : result.case,
  );
  expect(read).toEqual(["old", "set", "new", "delete", "set"]);
  expect(t((await client.get({ key })).value)).toBe("last");
});

test("a scan goes on in another host where one began it: nothing is kept of it", async () => {
  const keys = Array.from({ length: 300 }, (_, i) => `key${i}`);
  const found = new Set<string>();
  let cursor: Uint8Array = new Uint8Array();
  let pages = 0;
  do {
    await using backend = inMemory(redis({ connections }));
    const client = backend.client();
    if (pages++ === 0) {
      await client.multiSet({ pairs: keys.map((key) => ({ key: b(key), value: b("v") })) });
    }
    const page = await client.scan({ cursor, count: 50 });
    for (const key of page.keys) found.add(t(key) ?? "");
    cursor = page.cursor;
  } while (cursor.length > 0);
  expect(pages).toBeGreaterThan(3);
  expect(found).toEqual(new Set(keys));
});

test("the replies of several nodes to one command are bounded together", async () => {
  await using backend = inMemory(redis({ connections, maxReplyBytes: 100_000 }));
  const client = backend.client();
  const keys = ["a", "b", "c"].map(b);
  await client.multiSet({ pairs: keys.map((key) => ({ key, value: new Uint8Array(60_000) })) });
  for (const key of keys) expect((await client.get({ key })).value).toHaveLength(60_000);
  await fails(client.multiGet({ keys }), Code.ResourceExhausted);
  expect((await client.exists({ keys })).existing).toBe(3n);
});

test("commands that concern all nodes are answered by all of them together", async () => {
  const execute = ["DBSIZE", "KEYS", "RANDOMKEY", "PING", "SCRIPT EXISTS"];
  await using backend = inMemory(redis({ connections, execute }));
  const client = backend.client();
  const keys = Array.from({ length: 30 }, (_, i) => `key${i}`);
  await client.multiSet({ pairs: keys.map((key) => ({ key: b(key), value: b("v") })) });
  const size = await client.execute({ command: "DBSIZE" });
  expect(size.reply?.kind).toEqual({ case: "integer", value: 30n });
  const all = await client.execute({ command: "KEYS", arguments: [b("*")] });
  expect(all.reply?.kind.case === "list" && all.reply.kind.value.values).toHaveLength(30);
  const any = await client.execute({ command: "RANDOMKEY" });
  expect(any.reply?.kind.case).toBe("bytes");
});

test("a node that hangs is asked for the others no longer than a connection may take: the next one is", async () => {
  await using hanging = await startRedisServer();
  hanging.pause();
  const urls = [hanging.url, ...connections.default.cluster];
  await using backend = inMemory(
    redis({ connections: { default: { cluster: urls } }, connectTimeoutMs: 500 }),
  );
  const set = async (): Promise<boolean> =>
    backend
      .client()
      .set({ key: b("k"), value: b("v") })
      .then(
        () => true,
        () => false,
      );
  await expect.poll(set).toBe(true);
});

test("a node that is lost makes its own keys UNAVAILABLE until it is back, and no others", async () => {
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const places = new Map<string, number>();
  for (let i = 0; i < 30; i++) places.set(`key${i}`, (await cluster.placeOf(`key${i}`)).node);
  const set = async (): Promise<Map<string, string>> => {
    const outcomes = [...places.keys()].map(async (key) =>
      client.set({ key: b(key), value: b("v") }).then(
        () => [key, "OK"] as const,
        (error: { code: Code }) => [key, Code[error.code] ?? ""] as const,
      ),
    );
    return new Map((await Promise.all(outcomes)) as [string, string][]);
  };
  const expected = (lost: number | undefined): Map<string, string> =>
    new Map([...places].map(([key, node]) => [key, node === lost ? "Unavailable" : "OK"]));
  expect(await set()).toEqual(expected(undefined));
  const node = cluster.nodes[1];
  await node?.kill();
  expect(await set()).toEqual(expected(1));
  await node?.restart();
  await expect.poll(set).toEqual(expected(undefined));
});

test("a subscription whose node is lost goes on by way of another, and hears of the interruption", async () => {
  await using backend = inMemory(redis({ connections }));
  await using teller = inMemory(redis({ connections }));
  const client = backend.client();
  const says = teller.client();
  const { subscriptionId } = await client.subscribe({ channels: [b("c")] });
  const listens = async (): Promise<number> => {
    const heard = await Promise.all(
      cluster.nodes.map(async (_, i) => cluster.say(i, ["PUBSUB", "NUMSUB", "c"])),
    );
    return heard.findIndex((said) => Number((said as unknown[])[1]) > 0);
  };
  await expect.poll(listens).toBeGreaterThanOrEqual(0);
  const node = await listens();
  const lost = cluster.nodes[node];
  await lost?.kill();
  try {
    const first = await client.poll({ subscriptionId, waitMs: 10_000 });
    expect(first.interruptions).toBe(1n);
    // Two nodes are left, and any of them passes on what is said to it.
    const channel = await channelOfOther(node);
    const again = await client.subscribe({ channels: [b(channel)] });
    await says.publish({ channel: b(channel), message: b("m") });
    const { subscriptionId: second } = again;
    const next = await client.poll({ subscriptionId: second, waitMs: 5_000 });
    expect(next.messages.map(({ message }) => t(message))).toEqual(["m"]);
  } finally {
    await lost?.restart();
  }
});

/** A channel whose node is another one. */
async function channelOfOther(node: number): Promise<string> {
  for (let i = 0; ; i++) {
    const place = await cluster.placeOf(`channel${i}`, (node + 1) % 3);
    if (place.node !== node) return `channel${i}`;
  }
}
