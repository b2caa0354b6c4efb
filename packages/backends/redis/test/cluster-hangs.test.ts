import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, afterEach, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisCluster } from "./cluster.ts";
import { b, fails, t } from "./rules/rule.ts";

const cluster = await startRedisCluster();
afterAll(() => cluster[Symbol.asyncDispose]());
afterEach(() => cluster.nodes.forEach((node) => node.resume()));
const connections = { default: { cluster: cluster.nodes.map(({ url }) => url) } };
const limits = { stallTimeoutMs: 400, connectTimeoutMs: 400, outageWaitMs: 50 };

/** A key of each node: "hangs" is the key of the one that hangs. */
async function keysOf(hangs: number): Promise<{ hung: Uint8Array; others: Uint8Array[] }> {
  const found = new Map<number, Uint8Array>();
  for (let i = 0; found.size < 3; i++) {
    const key = `key${i}`;
    const slot = Number(await cluster.say(0, ["CLUSTER", "KEYSLOT", key]));
    found.set(Math.floor(slot / 5461.5), b(key));
  }
  const hung = found.get(hangs);
  if (hung === undefined) throw new Error("no node has the slot");
  return { hung, others: [...found.values()].filter((key) => key !== hung) };
}

test("calls to a node that hangs end as UNAVAILABLE, those to others are answered meanwhile, and it comes back", async () => {
  const { hung, others } = await keysOf(1);
  const real = redis({ connections, ...limits });
  await using backend = inMemory(real);
  const client = backend.client();
  for (const key of [hung, ...others]) await client.set({ key, value: b("v") });
  const node = cluster.nodes[1];
  node?.pause();
  const late = fails(client.get({ key: hung }, { timeoutMs: 30 }), Code.DeadlineExceeded);
  const command = { command: { case: "increment" as const, value: { key: hung } } };
  const ended = new AbortController();
  // None of them has a deadline.
  const calls = [
    client.get({ key: hung }),
    client.multiGet({ keys: [hung, ...others] }),
    client.transaction({ commands: [command] }),
  ];
  const lost = Promise.all(
    calls.map(async (call) => (await fails(call, Code.Unavailable)).message),
  ).finally(() => ended.abort());
  await late;
  let answered = 0;
  while (!ended.signal.aborted) {
    for (const key of others) expect(t((await client.get({ key })).value)).toBe("v");
    answered++;
  }
  for (const message of await lost) expect(message).toContain("may have been done or not");
  // How many depends on the machine; one that came last may have come after the others had ended.
  expect(answered).toBeGreaterThan(1);
  // It takes connections, and greets nobody: calls to it do not wait for that, and are told when to try again.
  const { message } = await fails(client.get({ key: hung }), Code.Unavailable);
  expect(message).toContain(`Redis at 127.0.0.1:${node?.port} cannot be reached: no answer`);
  const sick = await real.health?.();
  expect(sick).toMatchObject({ ok: false });
  expect(sick?.message).toMatch(
    new RegExp(`does not answer \\(Redis at 127.0.0.1:${node?.port} .*, [1-9]\\d* reconnects`),
  );
  for (const key of others) expect(t((await client.get({ key })).value)).toBe("v");
  node?.resume();
  const get = async (): Promise<string | undefined> =>
    client.get({ key: hung }).then(
      ({ value }) => t(value),
      () => "lost",
    );
  await expect.poll(get).toBe("v");
  expect(await real.health?.()).toMatchObject({ ok: true });
});

test("commands under way to all nodes count together, and one for several nodes is refused before one of them has it", async () => {
  const { hung, others } = await keysOf(1);
  await using backend = inMemory(redis({ connections, maxInFlight: 5 }));
  const client = backend.client();
  const pairs = [hung, ...others].map((key) => ({ key, value: b("before") }));
  await client.multiSet({ pairs });
  cluster.nodes[1]?.pause();
  const waiting = Array.from({ length: 5 }, async () => client.get({ key: hung }));
  const after = pairs.map(({ key }) => ({ key, value: b("after") }));
  await fails(client.multiSet({ pairs: after }), Code.ResourceExhausted);
  cluster.nodes[1]?.resume();
  await Promise.all(waiting);
  for (const { key } of pairs) expect(t((await client.get({ key })).value)).toBe("before");
});

test("a transaction of a watch on a node that hangs is UNAVAILABLE, though it has no deadline", async () => {
  const { hung: key } = await keysOf(1);
  await using backend = inMemory(redis({ connections, ...limits }));
  const client = backend.client();
  const { watchId } = await client.watch({ keys: [key] });
  cluster.nodes[1]?.pause();
  const commands = [{ command: { case: "increment" as const, value: { key } } }];
  const error = await fails(client.transaction({ commands, watchId }), Code.Unavailable);
  expect(error.message).toContain("may have been done or not");
});

test("a subscription whose node hangs goes on by way of another, and hears of the interruption", async () => {
  await using backend = inMemory(redis({ connections, ...limits }));
  await using teller = inMemory(redis({ connections }));
  const client = backend.client();
  const { subscriptionId } = await client.subscribe({ channels: [b("c")] });
  const said = await Promise.all(
    cluster.nodes.map(async (_, i) => cluster.say(i, ["PUBSUB", "NUMSUB", "c"])),
  );
  const listens = said.findIndex((counted) => Number((counted as unknown[])[1]) === 1);
  const { others } = await keysOf(listens);
  const [channel = b("")] = others;
  await teller.client().publish({ channel, message: b("early") });
  cluster.nodes[listens]?.pause();
  const { interruptions } = await client.poll({ subscriptionId, waitMs: 20_000 });
  expect(interruptions).toBe(1n);
  // What is said to any node is passed on to the others, but for the one that hangs.
  const again = await client.subscribe({ channels: [channel] });
  await teller.client().publish({ channel, message: b("m") });
  const next = await client.poll({ subscriptionId: again.subscriptionId, waitMs: 20_000 });
  expect(next.messages.map(({ message }) => t(message))).toEqual(["m"]);
});

test("a node that hangs from the start, and is asked first, keeps no first call from its answer", async () => {
  const { others } = await keysOf(0);
  cluster.nodes[0]?.pause();
  // It is asked by whoever connects, and may be the one that is to be listened to.
  for (let i = 0; i < 6; i++) {
    await using backend = inMemory(redis({ connections }));
    const client = backend.client();
    const [key = b("")] = others;
    const first = [client.set({ key, value: b("v") }), client.subscribe({ channels: [key] })];
    await expect(Promise.all(first)).resolves.toHaveLength(2);
  }
});
