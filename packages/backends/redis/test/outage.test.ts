import { randomBytes } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { RetryInfoSchema } from "@dropthrough/dispatch";
import { inMemory } from "@dropthrough/dispatch/testing";
import { createClient } from "@redis/client";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { b, fails, t } from "./rules/rule.ts";

/** That a call says "try again", and when. */
async function isUnavailable(call: Promise<unknown>): Promise<string> {
  const error = await fails(call, Code.Unavailable);
  const [retry] = error.findDetails(RetryInfoSchema);
  const { seconds = 0n, nanos = 0 } = retry?.retryDelay ?? {};
  expect(Number(seconds) * 1000 + nanos / 1e6).toBeGreaterThan(0);
  return error.message;
}

const key = b("k");
const value = b("v");

test("open without a server answers UNAVAILABLE, and works once there is one", async () => {
  await using server = await startRedisServer();
  await server.kill();
  await using backend = inMemory(redis({ url: server.url }));
  const client = backend.client();
  expect(await isUnavailable(client.open({}))).toContain(`127.0.0.1:${server.port}`);
  await server.restart();
  await expect
    .poll(() =>
      client.open({}).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
});

test("commands that are under way when the server dies answer UNAVAILABLE and are not sent again", async () => {
  await using server = await startRedisServer({ args: ["--appendonly", "yes"] });
  await using backend = inMemory(redis({ url: server.url, outageWaitMs: 5_000 }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  await client.set({ connectionId, key, value: b("0") });
  server.pause();
  const pending = Array.from({ length: 100 }, () => client.increment({ connectionId, key }));
  const settled = Promise.all(pending.map((call) => isUnavailable(call)));
  // They are on their way to a server that does not read them any more.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server.kill();
  await settled;
  const waiting = client.get({ connectionId, key });
  await server.restart();
  expect(t((await waiting).value)).toBe("0");
});

test("commands that only read are sent once more, if the operator allows it; those that write are not", async () => {
  await using server = await startRedisServer({ args: ["--appendonly", "yes"] });
  await using backend = inMemory(
    redis({ url: server.url, outageWaitMs: 10_000, replayReads: true }),
  );
  const client = backend.client();
  const { connectionId } = await client.open({});
  await client.set({ connectionId, key, value: b("0") });
  server.pause();
  const reads = Array.from({ length: 20 }, () => client.get({ connectionId, key }));
  const writes = Array.from({ length: 20 }, () => client.increment({ connectionId, key }));
  const get = { command: { case: "get" as const, value: { key } } };
  const increment = { command: { case: "increment" as const, value: { key } } };
  const onlyReads = client.pipeline({ connectionId, commands: [get, get] });
  // A read that was sent again after the write would see what came after it.
  const both = client.pipeline({ connectionId, commands: [get, increment] });
  const refused = Promise.all(writes.map((call) => isUnavailable(call)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server.kill();
  await refused;
  await server.restart();
  for (const { value: found } of await Promise.all(reads)) expect(t(found)).toBe("0");
  const cases = async (pipeline: typeof both): Promise<unknown[]> =>
    (await pipeline).results.map(({ result }) => result.case);
  expect(await cases(onlyReads)).toEqual(["get", "get"]);
  expect(await cases(both)).toEqual(["failure", "failure"]);
});

test("while the server is down, commands are UNAVAILABLE at once; when it is back, they work by themselves", async () => {
  await using server = await startRedisServer();
  const real = redis({ url: server.url, outageWaitMs: 20 });
  await using backend = inMemory(real);
  const client = backend.client();
  const { connectionId } = await client.open({});
  expect(await real.health?.()).toMatchObject({ ok: true });
  await server.kill();
  await isUnavailable(client.get({ connectionId, key }));
  await expect.poll(() => real.health?.()).toMatchObject({ ok: false });
  for (let i = 0; i < 10; i++) await isUnavailable(client.get({ connectionId, key }));
  await server.restart();
  await expect
    .poll(() =>
      client.set({ connectionId, key, value }).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  expect(await real.health?.()).toMatchObject({ ok: true });
});

test("a command that waits for the end of an outage waits until the server has read its data, too", async () => {
  // Every key takes it a while, and it says LOADING meanwhile.
  const slow = ["--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"];
  await using server = await startRedisServer({ args: slow });
  const real = redis({ url: server.url, outageWaitMs: 60_000 });
  await using backend = inMemory(real);
  const client = backend.client();
  const keys = Array.from({ length: 50 }, (_, i) => b(`k${i}`));
  await client.multiSet({ pairs: keys.map((one) => ({ key: one, value: randomBytes(2048) })) });
  const direct = await createClient({ url: server.url }).connect();
  await direct.sendCommand(["SAVE"]);
  direct.destroy();
  await server.kill();
  await expect.poll(() => real.health?.()).toMatchObject({ ok: false });
  const waiting = client.get({ key: b("k49") });
  await server.restart();
  expect((await waiting).value).toHaveLength(2048);
});

test("a deadline ends a command on a server that hangs, and the next command gets its own answer", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  await client.set({ connectionId, key: b("a"), value: b("1") });
  await client.set({ connectionId, key: b("b"), value: b("2") });
  server.pause();
  await fails(client.get({ connectionId, key: b("a") }, { timeoutMs: 30 }), Code.DeadlineExceeded);
  server.resume();
  expect(t((await client.get({ connectionId, key: b("b") })).value)).toBe("2");
});

test("a server that answers nothing for long counts as lost", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url, stallTimeoutMs: 100, outageWaitMs: 50 }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  server.pause();
  await isUnavailable(client.get({ connectionId, key }));
  await isUnavailable(client.get({ connectionId, key }));
  server.resume();
  await expect
    .poll(() =>
      client.get({ connectionId, key }).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
});

test("a server that hangs and is only listened to counts as lost, and the subscription hears of the interruption", async () => {
  await using server = await startRedisServer();
  const limits = { stallTimeoutMs: 200, connectTimeoutMs: 500 };
  await using backend = inMemory(redis({ url: server.url, ...limits }));
  await using teller = inMemory(redis({ url: server.url }));
  const client = backend.client();
  const { subscriptionId } = await client.subscribe({ channels: [b("c")] });
  // It is quiet for longer than it may hang, which is no interruption.
  const quiet = await client.poll({ subscriptionId, waitMs: 600 });
  expect(quiet.interruptions).toBe(0n);
  server.pause();
  const heard = client.poll({ subscriptionId, waitMs: 20_000 });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  server.resume();
  expect(await heard).toMatchObject({ messages: [], interruptions: 1n });
  await teller.client().publish({ channel: b("c"), message: b("m") });
  const { messages } = await client.poll({ subscriptionId, waitMs: 20_000 });
  expect(messages.map(({ message }) => t(message))).toEqual(["m"]);
});

test("a host that was busy for long does not take its server for lost", async () => {
  await using server = await startRedisServer();
  const real = redis({ url: server.url, stallTimeoutMs: 40 });
  await using backend = inMemory(real);
  const client = backend.client();
  const { connectionId } = await client.open({});
  const pending = Array.from({ length: 10 }, () => client.set({ connectionId, key, value }));
  await new Promise((resolve) => setImmediate(resolve));
  for (const end = performance.now() + 200; performance.now() < end;);
  await Promise.all(pending);
  expect((await real.health?.())?.message).toContain(" 0 reconnects");
});

test("a call that is given up frees its place, though its server is away", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(
    redis({ url: server.url, maxInFlight: 10, outageWaitMs: 60_000, connectTimeoutMs: 60_000 }),
  );
  const client = backend.client();
  const { connectionId } = await client.open({});
  await server.kill();
  // What was lost with the connection is over; from now on, commands wait for the next one.
  await client.get({ connectionId, key }, { timeoutMs: 100 }).catch(() => {});
  for (let round = 0; round < 3; round++) {
    const calls = Array.from({ length: 10 }, () =>
      fails(client.get({ connectionId, key }, { timeoutMs: 50 }), Code.DeadlineExceeded),
    );
    await Promise.all(calls);
  }
  await server.restart();
  expect((await client.get({ connectionId, key })).value).toBeUndefined();
});

test("a command too many answers RESOURCE_EXHAUSTED, and those under way are not touched", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url, maxInFlight: 10 }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  server.pause();
  const pending = Array.from({ length: 10 }, () => client.set({ connectionId, key, value }));
  const error = await fails(client.get({ connectionId, key }), Code.ResourceExhausted);
  expect(error.findDetails(RetryInfoSchema)).toHaveLength(1);
  server.resume();
  await Promise.all(pending);
  expect(t((await client.get({ connectionId, key })).value)).toBe("v");
});

test("a backend that is closed leaves no call waiting", async () => {
  await using server = await startRedisServer();
  const backend = inMemory(redis({ url: server.url }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  server.pause();
  const pending = isUnavailable(client.get({ connectionId, key }));
  await backend[Symbol.asyncDispose]();
  expect(await pending).toContain("lost before it answered");
});

test("a subscription goes on after an outage, and says that there was one", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url }));
  const client = backend.client();
  const { connectionId } = await client.open({});
  const channels = [b("c")];
  const { subscriptionId } = await client.subscribe({
    connectionId,
    channels,
    patterns: [b("c*")],
  });
  const ended = await client.subscribe({ connectionId, channels: [b("ended")] });
  await server.kill();
  // One that ends meanwhile is not taken up again.
  await client.unsubscribe({ subscriptionId: ended.subscriptionId });
  await server.restart();
  const { messages, interruptions } = await client.poll({ subscriptionId, waitMs: 5_000 });
  expect([messages, interruptions]).toEqual([[], 1n]);
  const say = (): Promise<number> =>
    client.publish({ connectionId, channel: b("c"), message: b("m") }).then(
      ({ receivers }) => Number(receivers),
      () => 0,
    );
  await expect.poll(say).toBe(2);
  const heard = await client.poll({ subscriptionId, waitMs: 5_000 });
  expect(heard.messages.map((m) => t(m.message))).toContain("m");
});

test("health says how fast the server answers, or that it does not", async () => {
  await using server = await startRedisServer();
  const real = redis({ url: server.url });
  await using backend = inMemory(real);
  await backend.client().open({});
  const good = await real.health?.();
  expect(good?.message).toMatch(
    /^default: 127\.0\.0\.1:\d+, ping [\d.]+ ms, 0 reconnects, 0 commands/,
  );
  server.pause();
  expect(await real.health?.()).toMatchObject({
    ok: false,
    message: expect.stringContaining("does not answer") as string,
  });
  server.resume();
});
