/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { expect } from "vitest";
import { ExpireCondition } from "../../src/index.ts";
import { b, rule, type Rule, type RuleWorld, t } from "./rule.ts";

const key = b("k");

async function ttl({ client, connectionId }: RuleWorld): Promise<number | undefined> {
  const { exists, ttlMs } = await client.timeToLive({ connectionId, key });
  expect(exists).toBe(true);
  return ttlMs === undefined ? undefined : Number(ttlMs);
}

export const expiryRules: readonly Rule[] = [
  rule("timeToLive tells an absent key from one that never expires", async (world) => {
    const { client, connectionId } = world;
    expect(await client.timeToLive({ connectionId, key })).toMatchObject({ exists: false });
    await client.set({ connectionId, key, value: b("v") });
    expect(await ttl(world)).toBeUndefined();
  }),
  rule("a key is gone when its time is over", async ({ client, connectionId }) => {
    const set = { connectionId, key, value: b("v") };
    await client.set({ ...set, expiry: { case: "expireInMs", value: 30n } });
    expect((await client.get({ connectionId, key })).value).toBeDefined();
    await expect.poll(async () => (await client.get({ connectionId, key })).value).toBeUndefined();
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
  }),
  rule("an expiry can be a time of day, which may be past", async (world) => {
    const { client, connectionId } = world;
    const at = async (value: bigint): Promise<void> =>
      void (await client.set({
        connectionId,
        key,
        value: b("v"),
        expiry: { case: "expireAtMs", value },
      }));
    await at(BigInt(Date.now() + 60_000));
    expect(await ttl(world)).toBeGreaterThan(50_000);
    expect(await ttl(world)).toBeLessThanOrEqual(60_001);
    await at(1n);
    expect((await client.get({ connectionId, key })).value).toBeUndefined();
  }),
  rule(
    "set forgets the expiry, unless it is told to keep it; increment keeps it",
    async (world) => {
      const { client, connectionId } = world;
      const set = { connectionId, key, value: b("1") };
      await client.set({ ...set, expiry: { case: "expireInMs", value: 60_000n } });
      await client.set({ ...set, expiry: { case: "keepTtl", value: true } });
      await client.increment({ connectionId, key });
      expect(await ttl(world)).toBeGreaterThan(50_000);
      await client.set(set);
      expect(await ttl(world)).toBeUndefined();
    },
  ),
  rule("expire sets the time to live of a key that is there", async (world) => {
    const { client, connectionId } = world;
    expect((await client.expire({ connectionId, key, ttlMs: 60_000n })).applied).toBe(false);
    await client.set({ connectionId, key, value: b("v") });
    expect((await client.expire({ connectionId, key, ttlMs: 60_000n })).applied).toBe(true);
    expect(await ttl(world)).toBeGreaterThan(50_000);
    expect((await client.expire({ connectionId, key, ttlMs: 0n })).applied).toBe(true);
    expect((await client.get({ connectionId, key })).value).toBeUndefined();
  }),
  rule("expire with a condition applies only if it holds", async (world) => {
    const { client, connectionId } = world;
    const { IF_NONE, IF_ANY, IF_LATER, IF_EARLIER } = ExpireCondition;
    const expire = async (ttlMs: bigint, condition: ExpireCondition): Promise<boolean> =>
      (await client.expire({ connectionId, key, ttlMs, condition })).applied;
    await client.set({ connectionId, key, value: b("v") });
    expect(await expire(60_000n, IF_ANY)).toBe(false);
    expect(await expire(60_000n, IF_LATER)).toBe(false);
    expect(await expire(60_000n, IF_NONE)).toBe(true);
    expect(await expire(90_000n, IF_NONE)).toBe(false);
    expect(await expire(30_000n, IF_LATER)).toBe(false);
    expect(await expire(90_000n, IF_EARLIER)).toBe(false);
    expect(await expire(90_000n, IF_LATER)).toBe(true);
    expect(await expire(30_000n, IF_EARLIER)).toBe(true);
    expect(await expire(60_000n, IF_ANY)).toBe(true);
    await client.set({ connectionId, key, value: b("v") });
    expect(await expire(60_000n, IF_EARLIER)).toBe(true);
    expect(t((await client.get({ connectionId, key })).value)).toBe("v");
  }),
];
