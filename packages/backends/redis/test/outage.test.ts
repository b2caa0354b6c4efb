import { Code } from "@connectrpc/connect";
import { RetryInfoSchema } from "@dropthrough/dispatch";
import { inMemory } from "@dropthrough/dispatch/testing";
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
    .poll(
      () =>
        client.set({ connectionId, key, value }).then(
          () => true,
          () => false,
        ),
      { timeout: 5_000 },
    )
    .toBe(true);
  expect(await real.health?.()).toMatchObject({ ok: true });
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
  await using backend = inMemory(
    redis({ url: server.url, stallTimeoutMs: 100, outageWaitMs: 50, connectTimeoutMs: 100 }),
  );
  const client = backend.client();
  const { connectionId } = await client.open({});
  server.pause();
  await isUnavailable(client.get({ connectionId, key }));
  await isUnavailable(client.get({ connectionId, key }));
  server.resume();
  await expect
    .poll(
      () =>
        client.get({ connectionId, key }).then(
          () => true,
          () => false,
        ),
      { timeout: 5_000 },
    )
    .toBe(true);
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
