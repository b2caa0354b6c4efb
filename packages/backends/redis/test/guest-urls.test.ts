import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, describe, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { b, fails, t } from "./rules/rule.ts";

const server = await startRedisServer({ args: ["--requirepass", "secret"] });
afterAll(() => server[Symbol.asyncDispose]());
const { port } = server;
const url = `redis://:secret@127.0.0.1:${port}/3`;
const guestUrls = { app: [`redis://127.0.0.1:${port}`] };

describe("a guest that may name a server", () => {
  test("opens it by its URL, with a user and a database of its own, and closes it", async () => {
    await using backend = inMemory(redis({ guestUrls, isolate: true }));
    const client = backend.client("app");
    const { connectionId } = await client.open({ url });
    await client.set({ connectionId, key: b("k"), value: b("v") });
    const { connectionId: again } = await client.open({ url });
    expect(t((await client.get({ connectionId: again, key: b("k") })).value)).toBe("v");
    // The default connection is another Redis.
    expect((await client.get({ key: b("k") })).value).toBeUndefined();
    await client.close({ connectionId });
    await fails(client.get({ connectionId, key: b("k") }), Code.NotFound);
  });

  test("keeps the prefix of the operator there", async () => {
    await using backend = inMemory(redis({ guestUrls, prefix: "p:" }));
    const client = backend.client("app");
    const { connectionId } = await client.open({ url });
    await client.set({ connectionId, key: b("k"), value: b("v") });
    await using plain = inMemory(redis({ url }));
    expect(t((await plain.client().get({ key: b("p:k") })).value)).toBe("v");
  });

  test("has eight of them at most, and closed ones make room", async () => {
    await using backend = inMemory(redis({ guestUrls }));
    const client = backend.client("app");
    const open = [];
    for (let i = 0; i < 8; i++) open.push(await client.open({ url }));
    await fails(client.open({ url }), Code.ResourceExhausted);
    await client.close({ connectionId: open[0]?.connectionId ?? "" });
    await client.open({ url });
    // What could not be opened takes no place.
    await client.close({ connectionId: open[1]?.connectionId ?? "" });
    for (let i = 0; i < 9; i++) {
      await fails(client.open({ url: url.replace("secret", "wrong") }), Code.PermissionDenied);
    }
    expect((await client.open({ url })).connectionId).toHaveLength(22);
  });

  test("leaves no connection behind", async () => {
    await using admin = inMemory(redis({ url, execute: ["INFO"] }));
    const clients = async (): Promise<number> => {
      const { reply } = await admin
        .client()
        .execute({ command: "INFO", arguments: [b("clients")] });
      const text = reply?.kind.case === "bytes" ? (t(reply.kind.value) ?? "") : "";
      return Number(/connected_clients:(\d+)/.exec(text)?.[1]);
    };
    const before = await clients();
    const backend = inMemory(redis({ guestUrls }));
    for (let i = 0; i < 3; i++) await backend.client("app").open({ url });
    expect(await clients()).toBe(before + 3);
    await backend.end("app");
    await expect.poll(clients).toBe(before);
    await backend.client("app").open({ url });
    await backend[Symbol.asyncDispose]();
    await expect.poll(clients).toBe(before);
  });
});

test("health tells of servers that guests have named, and is no worse for one that does not answer", async () => {
  await using hung = await startRedisServer();
  const real = redis({ guestUrls: { app: [`redis://127.0.0.1:${hung.port}`] } });
  await using backend = inMemory(real);
  const client = backend.client("app");
  const { connectionId } = await client.open({ url: hung.url });
  const place = `app: 127.0.0.1:${hung.port}, ping `;
  expect(await real.health?.()).toMatchObject({
    ok: true,
    message: expect.stringMatching(new RegExp(`${place}[\\d.]+ ms, 0 reconnects`)) as string,
  });
  hung.pause();
  expect(await real.health?.()).toMatchObject({
    ok: true,
    message: expect.stringContaining(
      `app: not ok, 127.0.0.1:${hung.port} does not answer`,
    ) as string,
  });
  hung.resume();
  await client.close({ connectionId });
  expect((await real.health?.())?.message).not.toContain("app: ");
});

describe("no guest reaches a server that it was not given:", () => {
  const patterns = {
    app: [`redis://127.0.0.1:${port}`],
    wild: ["rediss://*.cache.example:*"],
    six: ["redis://[::1]:6379"],
    none: [],
  };

  test.each([
    ["other", url],
    ["none", url],
    ["app.worker", url],
    ["app", `redis://127.0.0.1:${port + 1}`],
    ["app", `rediss://127.0.0.1:${port}`],
    ["app", `redis://localhost:${port}`],
    ["app", `redis://127.0.0.1:${port}@evil.example:6379`],
    ["app", `redis://127.0.0.1%3A${port}@evil.example`],
    ["app", `redis://evil.example:${port}#127.0.0.1:${port}`],
    ["app", `redis://evil.example:${port}?127.0.0.1:${port}`],
    ["app", `redis://127.0.0.1.evil.example:${port}`],
    ["app", `redis://127.1:${port}`],
    ["app", "redis://127.0.0.1"],
    ["app", "unix:///var/run/redis.sock"],
    ["wild", "rediss://cache.example:6379"],
    ["wild", "rediss://.cache.example:6379"],
    ["wild", "rediss://evilcache.example:6379"],
    ["wild", "rediss://a.cache.example.evil:6379"],
    ["wild", "rediss://a.cache.example%2Eevil:6379"],
    ["wild", "redis://a.cache.example:6379"],
    ["six", "redis://[::2]:6379"],
    ["six", "redis://[::1]:6380"],
  ])("%s %s", async (guest, wanted) => {
    await using backend = inMemory(redis({ guestUrls: patterns }));
    const { message } = await fails(
      backend.client(guest).open({ url: wanted }),
      Code.PermissionDenied,
    );
    expect(message).toContain("guestUrls");
    expect(message).not.toContain("secret");
  });

  test.each([
    "nonsense",
    "http://127.0.0.1",
    "embedded:",
    "redis://",
    "redis://h:99999",
    "redis://h/x",
    "redis://%ff@h",
    "redis://evil/127.0.0.1:6379",
    "rediss://evil/.cache.example",
  ])("%s is no URL of a server", async (wanted) => {
    await using backend = inMemory(redis({ guestUrls: patterns }));
    const opened = backend.client("app").open({ url: wanted });
    const error = await opened.catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: wanted === "redis://" ? Code.PermissionDenied : Code.InvalidArgument,
    });
  });

  test("a URL beside a name", async () => {
    await using backend = inMemory(redis({ guestUrls: patterns }));
    const both = backend.client("app").open({ name: "default", url });
    expect((await fails(both, Code.InvalidArgument)).message).toContain("not both");
  });

  test.each([
    "127.0.0.1:6379",
    "redis://*:6379",
    "redis://a*.example:1",
    "redis://h",
    "redis://u:p@h:1",
    "redis://h:70000",
  ])("an operator's pattern that says something else than it seems: %s", (pattern) => {
    expect(() => redis({ guestUrls: { app: [pattern] } })).toThrow("guestUrls");
  });
});
