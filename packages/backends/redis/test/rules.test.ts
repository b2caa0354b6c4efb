import { createClient } from "@redis/client";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, expect, test } from "vitest";
import { redis } from "../src/index.ts";
import { startRedisServer } from "../src/testing.ts";
import { common, proveRules } from "./prove-rules.ts";
import { b } from "./rules/rule.ts";

const server = await startRedisServer();
const admin = await createClient({ url: server.url }).connect();
afterAll(async () => {
  admin.destroy();
  await server[Symbol.asyncDispose]();
});
const flush = (): Promise<unknown> => admin.flushAll();

proveRules("embedded", () => redis({ ...common, embedded: true }));
proveRules("server", () => redis({ ...common, url: server.url }), flush);
// The prefix is full of what a pattern takes for itself.
const prefix = "*[a-z]?\\";
proveRules("isolated", () => redis({ ...common, url: server.url, prefix, isolate: true }), flush);

// In a cluster a node counts only those who listen to it.
test.each(["embedded:", server.url])(
  "%s: publish counts the ways in which it was heard",
  async (url) => {
    await using backend = inMemory(redis({ url }));
    const client = backend.client();
    const { connectionId } = await client.open({});
    const say = async (channel: string): Promise<bigint> =>
      (await client.publish({ connectionId, channel: b(channel), message: b("m") })).receivers;
    expect(await say("a")).toBe(0n);
    for (let i = 0; i < 2; i++) {
      await client.subscribe({ connectionId, channels: [b("a")], patterns: [b("a*")] });
    }
    expect([await say("b"), await say("ax"), await say("a")]).toEqual([0n, 1n, 2n]);
  },
);
