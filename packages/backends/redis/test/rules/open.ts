/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { scan } from "./keys.ts";
import { b, fails, rule, type Rule, t } from "./rule.ts";

export const openRules: readonly Rule[] = [
  rule("open answers an id that cannot be guessed, another one each time", async ({ client }) => {
    const ids = new Set<string>();
    for (let i = 0; i < 10; i++) ids.add((await client.open({})).connectionId);
    expect(ids.size).toBe(10);
    for (const id of ids) expect(Buffer.from(id, "base64url")).toHaveLength(16);
  }),
  rule(
    "open of a name that is not there answers NOT_FOUND, and says which are",
    async ({ client }) => {
      const { message } = await fails(client.open({ name: "nowhere" }), Code.NotFound);
      expect(message).toContain("default");
    },
  ),
  rule("a connection belongs to whoever opened it", async ({ stranger, connectionId }) => {
    await fails(stranger.ping({ connectionId }), Code.NotFound);
    await fails(stranger.close({ connectionId }), Code.NotFound);
  }),
  rule("a connection dies with whoever opened it", async ({ client, end, connectionId }) => {
    await client.ping({ connectionId });
    await end();
    await fails(client.ping({ connectionId }), Code.Aborted);
  }),
  rule(
    "without an id, calls go to the default connection, with the keys that an open one has",
    async ({ client, connectionId, stranger }) => {
      const key = b("k");
      await client.set({ key, value: b("v") });
      expect(t((await client.get({ connectionId, key })).value)).toBe("v");
      const commands = [{ command: { case: "get", value: { key } } } as const];
      const { results } = await client.pipeline({ commands });
      expect(results[0]?.result.case).toBe("get");
      const { watchId } = await client.watch({ keys: [key] });
      await client.transaction({ watchId, commands });
      await fails(stranger.close({}), Code.NotFound);
      await stranger.ping({});
    },
  ),
  rule(
    "open with a prefix gives keys of its own, within those that the caller has",
    async ({ client }) => {
      const { connectionId: one } = await client.open({ prefix: b("one:") });
      const { connectionId: star } = await client.open({ prefix: b("*") });
      const key = b("k");
      await client.set({ key, value: b("outside") });
      await client.set({ connectionId: one, key, value: b("within") });
      expect(t((await client.get({ connectionId: one, key })).value)).toBe("within");
      expect(t((await client.get({ key: b("one:k") })).value)).toBe("within");
      expect(t((await client.get({ key })).value)).toBe("outside");
      // What stands for anything in a pattern stands for itself in a prefix.
      expect(await scan({ client, connectionId: star })).toEqual([]);
      expect(await scan({ client, connectionId: one }, { match: b("*") })).toEqual(["k"]);
      expect((await client.delete({ connectionId: one, keys: [key, b("one:k")] })).deleted).toBe(
        1n,
      );
    },
  ),
  rule("open with a prefix of more than 256 bytes answers INVALID_ARGUMENT", async ({ client }) => {
    await client.open({ prefix: new Uint8Array(256) });
    await fails(client.open({ prefix: new Uint8Array(257) }), Code.InvalidArgument);
  }),
  rule("a closed connection answers NOT_FOUND", async ({ client, connectionId }) => {
    await client.close({ connectionId });
    await fails(client.get({ connectionId, key: new Uint8Array() }), Code.NotFound);
    await fails(client.close({ connectionId }), Code.NotFound);
  }),
  rule("the 65th open connection answers RESOURCE_EXHAUSTED", async ({ client }) => {
    for (let i = 0; i < 63; i++) await client.open({});
    await fails(client.open({}), Code.ResourceExhausted);
  }),
];
