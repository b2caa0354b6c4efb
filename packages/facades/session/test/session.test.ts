import { PassThrough } from "node:stream";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createHost, type Host } from "@dropthrough/host";
import { kernel } from "@dropthrough/kernel";
import { log } from "@dropthrough/log";
import { redis, type RedisOptions } from "@dropthrough/redis";
import { startRedisServer } from "@dropthrough/redis/testing";
import { afterEach, describe, expect, test } from "vitest";
import { sessionGuest, SessionService } from "../src/index.ts";

let host: Host | undefined;
let lines: PassThrough;
afterEach(async () => host?.[Symbol.asyncDispose]());

async function start(options: RedisOptions): Promise<Client<typeof SessionService>> {
  lines = new PassThrough();
  host = createHost({
    backends: [kernel(), log({ stream: lines }), redis(options)],
    guests: [sessionGuest],
  });
  await host.start();
  return createClient(SessionService, host.transport);
}

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const pause = async (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

describe.each(["embedded", "real"])("with an %s Redis", (kind) => {
  test("a session is put, got, touched, counted and ended", async () => {
    await using server = kind === "real" ? await startRedisServer() : undefined;
    const client = await start(server === undefined ? { embedded: true } : { url: server.url });
    await client.put({ id: "a", data: bytes("one") });
    await client.put({ id: "a", data: bytes("two") });
    await client.put({ id: "b" });
    expect((await client.get({ id: "a" })).data).toEqual(bytes("two"));
    expect((await client.get({ id: "b" })).data).toHaveLength(0);
    expect((await client.count({})).count).toBe(2n);
    await client.touch({ id: "a", ttlMs: 60_000n });
    await client.end({ id: "a" });
    await client.end({ id: "a" });
    expect((await failure(client.get({ id: "a" }))).code).toBe(Code.NotFound);
    expect((await failure(client.touch({ id: "a" }))).message).toBe(
      "[not_found] there is no such session, or its time is up: begin one with Put",
    );
    expect((await client.count({})).count).toBe(1n);
  });

  test("a session ends when its time is up, unless it is touched", async () => {
    await using server = kind === "real" ? await startRedisServer() : undefined;
    const client = await start(server === undefined ? { embedded: true } : { url: server.url });
    await client.put({ id: "short", data: bytes("x"), ttlMs: 150n });
    await client.put({ id: "kept", data: bytes("x"), ttlMs: 150n });
    await client.touch({ id: "kept", ttlMs: 60_000n });
    await pause(300);
    expect((await failure(client.get({ id: "short" }))).code).toBe(Code.NotFound);
    expect((await client.get({ id: "kept" })).data).toEqual(bytes("x"));
    expect((await client.count({})).count).toBe(1n);
  });
});

test("what a caller sends is checked before Redis is asked", async () => {
  const client = await start({ embedded: true });
  const year = 366n * 24n * 60n * 60n * 1000n;
  for (const call of [
    client.put({ id: "" }),
    client.put({ id: "ü".repeat(129) }),
    client.put({ id: "a", ttlMs: year + 1n }),
    client.put({ id: "a", data: new Uint8Array(2 ** 20 + 1) }),
    client.get({}),
    client.touch({ id: "a", ttlMs: year + 1n }),
    client.end({}),
  ]) {
    expect((await failure(call)).code).toBe(Code.InvalidArgument);
  }
  await client.put({ id: "ü".repeat(128), data: new Uint8Array(2 ** 20), ttlMs: year });
});

test("a Redis that has gone is one friendly answer; the details are in the log; and when it is back, all is well", async () => {
  await using server = await startRedisServer();
  const client = await start({ url: server.url });
  await client.put({ id: "a" });
  await server.kill();
  const error = await failure(client.get({ id: "a" }));
  expect(error.message).toBe("[unavailable] not available right now, please try again");
  expect(error.details).toEqual([]);
  expect(String(lines.read())).toMatch(/"guest":"session".*"msg":"Get failed: UNAVAILABLE/);
  await server.restart();
  await expect
    .poll(async () =>
      client.count({}).then(
        ({ count }) => count,
        () => undefined,
      ),
    )
    .toBe(0n);
});

test("what Redis does not let the operator's user do is the operator's to mend, and the log says what", async () => {
  const user = "--user sessions on >p ~* &* +@all -set";
  await using server = await startRedisServer({ args: user.split(" ") });
  const client = await start({ url: server.url.replace("//", "//sessions:p@") });
  const error = await failure(client.put({ id: "a" }));
  expect(error.message).toBe(
    "[internal] the session store has a problem that trying again does not mend: tell its operator, whose log says which",
  );
  expect(error.details).toEqual([]);
  expect(String(lines.read())).toMatch(/"msg":"Put failed: PERMISSION_DENIED.*NOPERM/);
});

test("a Redis that is full is one friendly answer too: sessions end, and then there is room", async () => {
  await using server = await startRedisServer({ args: ["--maxmemory", "1"] });
  const client = await start({ url: server.url });
  const error = await failure(client.put({ id: "a" }));
  expect(error.message).toBe("[unavailable] not available right now, please try again");
  expect(String(lines.read())).toContain("OOM");
});

test("a Redis that dies and comes back under load: each call has one answer, and what was put is there", async () => {
  const args = ["--appendonly", "yes", "--appendfsync", "always"];
  await using server = await startRedisServer({ args });
  const client = await start({ url: server.url });
  const kept = new Map<string, string>();
  const failures = new Set<string>();
  const over = new AbortController();
  const caller = async (name: string): Promise<void> => {
    for (let n = 0; !over.signal.aborted; n++) {
      const [id, text] = [`${name} ${n}`, `what ${name} holds ${n}`];
      try {
        await client.put({ id, data: bytes(text) }, { timeoutMs: 5_000 });
        kept.set(id, text);
      } catch (error) {
        failures.add(ConnectError.from(error).message);
        await pause(5);
      }
    }
  };
  const callers = Promise.all(["a", "b", "c", "d"].map((name) => caller(name)));
  for (let outage = 0; outage < 3; outage++) {
    const before = kept.size;
    await expect.poll(() => kept.size).toBeGreaterThan(before + 20);
    await server.restart();
  }
  over.abort();
  await callers;
  expect([...failures]).toEqual(["[unavailable] not available right now, please try again"]);
  for (const [id, text] of kept) {
    await expect
      .poll(async () =>
        client.get({ id }).then(
          ({ data }) => data,
          () => undefined,
        ),
      )
      .toEqual(bytes(text));
  }
}, 90_000);

test("callers see neither the connection nor the keys: a glob in an id is an id", async () => {
  const client = await start({ embedded: true });
  await client.put({ id: "a" });
  await client.put({ id: "*" });
  await client.end({ id: "*" });
  expect((await client.count({})).count).toBe(1n);
  await client.get({ id: "a" });
});
