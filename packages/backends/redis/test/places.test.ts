import { Code, ConnectError } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { type RedisServer, startRedisServer } from "../src/testing.ts";

let server: RedisServer;
beforeAll(async () => void (server = await startRedisServer()));
afterAll(() => server[Symbol.asyncDispose]());

const b = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** How many of the calls were refused for want of room; what the others answered. */
async function refusals<T>(calls: readonly Promise<T>[]): Promise<{ refused: number; done: T[] }> {
  const done: T[] = [];
  let refused = 0;
  for (const outcome of await Promise.allSettled(calls)) {
    if (outcome.status === "fulfilled") done.push(outcome.value);
    else {
      expect(ConnectError.from(outcome.reason).code).toBe(Code.ResourceExhausted);
      refused++;
    }
  }
  return { refused, done };
}

describe("what one guest asks for all at once", () => {
  test("watches: 16 are opened, and those that are refused leave no connection behind", async () => {
    await using backend = inMemory(redis({ url: server.url, execute: ["INFO"] }));
    const client = backend.client("hostile");
    const connections = async (): Promise<number> => {
      const { reply } = await client.execute({ command: "INFO", arguments: [b("clients")] });
      const text = Buffer.from(reply?.kind.value as Uint8Array).toString();
      return Number(/connected_clients:(\d+)/.exec(text)?.[1]);
    };
    for (let round = 0; round < 3; round++) {
      const asked = Array.from({ length: 60 }, async (_, i) =>
        client.watch({ keys: [b(`k${i}`)] }),
      );
      const { refused, done } = await refusals(asked);
      expect([refused, done.length]).toEqual([44, 16]);
      await Promise.all(done.map(async ({ watchId }) => client.unwatch({ watchId })));
    }
    await expect.poll(connections).toBeLessThanOrEqual(1 + 16);
  });

  test("watches on a server that hangs: their connections are given up soon after their calls have ended", async () => {
    await using own = await startRedisServer();
    const real = redis({ url: own.url });
    await using backend = inMemory(real);
    const client = backend.client("hostile");
    const keys = [b("k")];
    const command = { command: { case: "increment" as const, value: { key: b("k") } } };
    const commands = [command];
    const watches = await Promise.all(
      Array.from({ length: 8 }, async () => client.watch({ keys })),
    );
    own.pause();
    const late = { timeoutMs: 200 };
    const calls = [
      ...watches.map(async ({ watchId }) => client.transaction({ commands, watchId }, late)),
      ...watches.map(async () => client.watch({ keys }, late)),
    ];
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
    await expect
      .poll(async () => (await real.health?.())?.message, { timeout: 4_000 })
      .toContain(", 0 watches");
    own.resume();
    // The places are free again.
    const { refused, done } = await refusals(
      Array.from({ length: 17 }, async () => client.watch({ keys })),
    );
    expect([refused, done.length]).toEqual([1, 16]);
  });

  test("subscriptions: 64 are opened, and nobody listens when they have ended", async () => {
    await using backend = inMemory(redis({ url: server.url }));
    const client = backend.client("hostile");
    const asked = Array.from({ length: 200 }, async () => client.subscribe({ channels: [b("c")] }));
    const { refused, done } = await refusals(asked);
    expect([refused, done.length]).toEqual([136, 64]);
    await Promise.all(
      done.map(async ({ subscriptionId }) => client.unsubscribe({ subscriptionId })),
    );
    const receivers = async (): Promise<bigint> =>
      (await client.publish({ channel: b("c"), message: b("m") })).receivers;
    await expect.poll(receivers).toBe(0n);
  });

  test("pipelines: what is not answered keeps its places, also when it was cancelled, and others get in", async () => {
    await using own = await startRedisServer();
    await using backend = inMemory(redis({ url: own.url }));
    const hostile = backend.client("hostile");
    const other = backend.client("other");
    await hostile.set({ key: b("k"), value: b("v") });
    own.pause();
    const command = { command: { case: "get" as const, value: { key: b("k") } } };
    const commands = Array.from({ length: 10_000 }, () => command);
    const refused = { code: Code.ResourceExhausted };
    const cancel = new AbortController();
    const given = Promise.allSettled([hostile.pipeline({ commands }, { signal: cancel.signal })]);
    await expect(hostile.pipeline({ commands: [command] })).rejects.toMatchObject(refused);
    // What was not written yet would be taken back, and frees its place.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    cancel.abort();
    expect(await given).toMatchObject([{ status: "rejected", reason: { code: Code.Canceled } }]);
    await expect(hostile.pipeline({ commands: [command] })).rejects.toMatchObject(refused);
    await expect(hostile.transaction({ commands: [command] })).rejects.toMatchObject(refused);
    const got = other.pipeline({ commands: commands.slice(0, 100) });
    own.resume();
    expect((await got).results).toHaveLength(100);
    // What is answered makes room.
    const room = async (): Promise<unknown> => hostile.pipeline({ commands: [command] });
    await expect.poll(room).toBeDefined();
  });

  test("single commands: those that are cancelled keep their places until they are answered, and others get in", async () => {
    await using own = await startRedisServer();
    await using backend = inMemory(redis({ url: own.url }));
    const hostile = backend.client("hostile");
    const other = backend.client("other");
    await hostile.set({ key: b("k"), value: b("v") });
    own.pause();
    const given: Promise<unknown>[] = [];
    for (let round = 0; round < 10; round++) {
      const cancel = new AbortController();
      const { signal } = cancel;
      for (let i = 0; i < 1_000; i++) {
        given.push(
          hostile.get({ key: b("k") }, { signal }).then(
            () => "answered",
            () => "given up",
          ),
        );
      }
      // What was not written yet would be taken back, and frees its place.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      cancel.abort();
    }
    expect(new Set(await Promise.all(given))).toEqual(new Set(["given up"]));
    const refused = { code: Code.ResourceExhausted };
    await expect(hostile.get({ key: b("k") })).rejects.toMatchObject(refused);
    await expect(hostile.ping({})).rejects.toMatchObject(refused);
    const got = other.get({ key: b("k") });
    own.resume();
    expect((await got).value).toBeDefined();
    const room = async (): Promise<unknown> => hostile.get({ key: b("k") });
    await expect.poll(room).toBeDefined();
  });

  test("a transaction of as many commands as it may have", async () => {
    await using backend = inMemory(redis({ url: server.url }));
    const commands = Array.from({ length: 10_000 }, () => ({
      command: { case: "increment" as const, value: { key: b("n") } },
    }));
    const { results } = await backend.client().transaction({ commands });
    expect(results).toHaveLength(10_000);
    expect(results.at(-1)?.result).toMatchObject({ case: "increment", value: { value: 10_000n } });
  });
});
