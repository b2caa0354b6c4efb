import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { b, fails, t } from "./rules/rule.ts";

const key = b("k");

describe("an address", () => {
  test("may be a unix socket", async () => {
    await using server = await startRedisServer({ unixSocket: true });
    await using backend = inMemory(redis({ url: server.url }));
    const { connectionId } = await backend.client().open({});
    await backend.client().set({ connectionId, key, value: b("v") });
    expect(t((await backend.client().get({ connectionId, key })).value)).toBe("v");
  });

  test("may name a database, whose keys are others", async () => {
    await using server = await startRedisServer();
    const { url } = server;
    await using backend = inMemory(redis({ connections: { zero: `${url}/0`, three: `${url}/3` } }));
    const client = backend.client();
    const { connectionId: zero } = await client.open({ name: "zero" });
    const { connectionId: three } = await client.open({ name: "three" });
    await client.set({ connectionId: three, key, value: b("v") });
    expect((await client.get({ connectionId: zero, key })).value).toBeUndefined();
    expect(t((await client.get({ connectionId: three, key })).value)).toBe("v");
  });

  test("may name an ACL user, whose rights hold", async () => {
    const args = "--user guest on >se:cr@et ~* -@all +get".split(" ");
    await using server = await startRedisServer({ args });
    const url = `redis://guest:${encodeURIComponent("se:cr@et")}@127.0.0.1:${server.port}`;
    await using backend = inMemory(redis({ url }));
    const client = backend.client();
    const { connectionId } = await client.open({});
    expect((await client.get({ connectionId, key })).value).toBeUndefined();
    await fails(client.set({ connectionId, key, value: b("v") }), Code.PermissionDenied);
  });

  test("with a wrong password answers PERMISSION_DENIED, and nothing shows the password", async () => {
    await using server = await startRedisServer({ args: ["--requirepass", "right"] });
    for (const url of [server.url, server.url.replace("//", "//:wr0ng@")]) {
      const backend = redis({ url });
      await using memory = inMemory(backend);
      const { message } = await fails(memory.client().open({}), Code.PermissionDenied);
      expect(message + JSON.stringify(await backend.health?.())).not.toContain("wr0ng");
    }
  });

  test.each([
    [{ uri: "redis://127.0.0.1" }, 'redis: "uri" is unknown; there is url, embedded, '],
    [{ maxReplyBytes: "1" }, 'redis: "maxReplyBytes" must be a number, 0 or more'],
    [{ connectTimeoutMs: NaN }, 'redis: "connectTimeoutMs" must be a number'],
    [[], "redis: the options must be an object"],
  ])("options that are none are refused, and no embedded engine answers: %j", (options, why) => {
    expect(() => redis(options as object)).toThrow(why);
  });

  test.each(["http://127.0.0.1", "127.0.0.1:6379", "redis://:se%cret@127.0.0.1/x", ""])(
    "%j is refused when the backend is made, in a sentence without a password",
    (url) => {
      expect(() => redis({ connections: { cache: url } })).toThrow(/redis: the URL of .*"cache"/);
      expect(() => redis({ connections: { cache: url } })).not.toThrow(/se%cret/);
    },
  );
});

test("each name of an embedded engine has keys of its own, and all guests share them", async () => {
  await using backend = inMemory(redis({ connections: { other: "embedded:" } }));
  const [first, second] = [backend.client("first"), backend.client("second")];
  const mine = await first.open({});
  await first.set({ connectionId: mine.connectionId, key, value: b("v") });
  const { connectionId } = await second.open({});
  expect(t((await second.get({ connectionId, key })).value)).toBe("v");
  const other = await second.open({ name: "other" });
  expect((await second.get({ connectionId: other.connectionId, key })).value).toBeUndefined();
});
