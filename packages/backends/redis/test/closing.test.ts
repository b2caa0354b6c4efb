import { type Client, Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { redis, type RedisService } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { b } from "./rules/rule.ts";

test("a server that answers nothing any more keeps neither a guest nor the backend from ending", async () => {
  await using server = await startRedisServer();
  const backend = inMemory(redis({ url: server.url, connectTimeoutMs: 300 }));
  const client = backend.client();
  await client.subscribe({ channels: [b("c")], patterns: [b("p*")] });
  await client.watch({ keys: [b("k")] });
  server.pause();
  const never = client.get({ key: b("k") }).then(
    () => "answered",
    () => "failed",
  );
  await backend[Symbol.asyncDispose]();
  expect(await never).toBe("failed");
  server.resume();
});

test("who stops to listen during an outage is not listened for afterwards", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url, execute: ["PUBSUB CHANNELS"] }));
  const [ends, stays] = [backend.client(), backend.client()];
  const { subscriptionId } = await ends.subscribe({ channels: [b("ends")], patterns: [b("p*")] });
  const staying = await stays.subscribe({ channels: [b("stays")] });
  await server.kill();
  await ends.unsubscribe({ subscriptionId });
  await server.restart();
  const { interruptions } = await stays.poll({
    subscriptionId: staying.subscriptionId,
    waitMs: 10_000,
  });
  expect(interruptions).toBe(1n);
  expect(await heardOn(stays)).toEqual(["stays"]);
});

test("who gives up to listen before the server has answered is not listened for afterwards", async () => {
  await using server = await startRedisServer();
  await using backend = inMemory(redis({ url: server.url, execute: ["PUBSUB CHANNELS"] }));
  const client = backend.client();
  await client.subscribe({ channels: [b("stays")] });
  server.pause();
  const left = client.subscribe({ channels: [b("left")] }, { timeoutMs: 100 });
  await expect(left).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  server.resume();
  await expect.poll(async () => heardOn(client)).toEqual(["stays"]);
});

/** The channels that the server is listened to on. */
async function heardOn(client: Client<typeof RedisService>): Promise<string[]> {
  const { reply } = await client.execute({ command: "PUBSUB CHANNELS" });
  const heard = reply?.kind.case === "list" ? reply.kind.value.values : [];
  return heard.map(({ kind }) => Buffer.from(kind.value as Uint8Array).toString());
}
