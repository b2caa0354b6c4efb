import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { createClient } from "@redis/client";
import { expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { startLyingNode, startLyingSentinel } from "./lying-node.ts";
import { b, fails, t } from "./rules/rule.ts";

const NOPERM = "-NOPERM No permissions to access a channel\r\n";
const BUSY = "-BUSY Redis is busy running a script.\r\n";

/** What a node says that begins to tell of a channel. */
function subscribed(channel: string): string {
  return `>3\r\n$9\r\nsubscribe\r\n$${channel.length}\r\n${channel}\r\n:1\r\n`;
}

test("a server that refuses a channel after a reconnect ends its subscription, which says so, and no other", async () => {
  const args = ["--user", "guest", "on", "nopass", "~*", "&*", "+@all"];
  await using server = await startRedisServer({ args });
  const admin = await createClient({ url: server.url }).connect();
  admin.on("error", () => {});
  await using backend = inMemory(redis({ url: server.url.replace("//", "//guest:any@") }));
  const client = backend.client();
  const { subscriptionId } = await client.subscribe({ channels: [b("open"), b("shut")] });
  const kept = await client.subscribe({ channels: [b("open")], patterns: [b("open*")] });
  const waiting = await client.subscribe({ channels: [b("shut")] });
  await admin.publish("shut", "before");
  const first = await client.poll({ subscriptionId: waiting.subscriptionId, waitMs: 20_000 });
  expect(first.messages.map(({ message }) => t(message))).toEqual(["before"]);
  const told = fails(
    client.poll({ subscriptionId: waiting.subscriptionId, waitMs: 20_000 }),
    Code.PermissionDenied,
  );

  // It closes the connections that listen to what they may not hear any more.
  const now = ["resetchannels", "&open", "&open*"];
  await admin.sendCommand(["ACL", "SETUSER", "guest", ...now]);
  expect((await told).message).toContain("Redis says: NOPERM");
  const again = await client.poll({ subscriptionId: kept.subscriptionId, waitMs: 20_000 });
  expect(again).toMatchObject({ messages: [], interruptions: 1n });
  // What was said before comes first.
  const { messages } = await client.poll({ subscriptionId });
  expect(messages.map(({ message }) => t(message))).toEqual(["before"]);
  for (let i = 0; i < 2; i++) await fails(client.poll({ subscriptionId }), Code.PermissionDenied);
  await admin.publish("open", "after");
  const heard = await client.poll({ subscriptionId: kept.subscriptionId, waitMs: 20_000 });
  expect(heard.messages.map(({ message }) => t(message))).toContain("after");
  await fails(client.poll({ subscriptionId }), Code.PermissionDenied);
  await client.unsubscribe({ subscriptionId });
  await fails(client.poll({ subscriptionId }), Code.NotFound);
  admin.destroy();
});

test("a new master that refuses a channel ends its subscription, which says so, and no other", async () => {
  await using first = await startLyingNode(([, channel = ""]) => subscribed(channel));
  await using second = await startLyingNode(([, channel = ""]) =>
    channel === "shut" ? NOPERM : subscribed(channel),
  );
  let { port } = first;
  await using sentinel = await startLyingSentinel(() => port);
  const connections = { default: { sentinels: [sentinel.url], url: "redis://mymaster" } };
  await using backend = inMemory(redis({ connections }));
  const client = backend.client();
  const shut = await client.subscribe({ channels: [b("shut")] });
  const open = await client.subscribe({ channels: [b("open")] });
  ({ port } = second);
  await first[Symbol.asyncDispose]();
  const poll = client.poll({ subscriptionId: shut.subscriptionId, waitMs: 20_000 });
  expect((await fails(poll, Code.PermissionDenied)).message).toContain("Redis says: NOPERM");
  const { interruptions } = await client.poll({
    subscriptionId: open.subscriptionId,
    waitMs: 20_000,
  });
  expect(interruptions).toBe(1n);
});

test("a server that has no time for a subscription after a reconnect is asked again", async () => {
  let busy = 0;
  await using node = await startLyingNode(([, channel = ""]) =>
    busy-- > 0 ? BUSY : subscribed(channel),
  );
  await using backend = inMemory(redis({ url: node.url }));
  const client = backend.client();
  const { subscriptionId } = await client.subscribe({ channels: [b("c")] });
  busy = 3;
  node.hangUp();
  const { interruptions } = await client.poll({ subscriptionId, waitMs: 20_000 });
  expect(interruptions).toBe(1n);
  expect(busy).toBe(-1);
});
