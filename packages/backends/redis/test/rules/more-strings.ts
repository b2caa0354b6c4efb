/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { b, fails, rule, type Rule, t } from "./rule.ts";

const key = b("k");
const MINUTE = 60_000n;

export const moreStringRules: readonly Rule[] = [
  rule("incrementFloat adds decimals as they are written", async ({ client, connectionId }) => {
    const add = async (by: number): Promise<string | undefined> => {
      const { value } = await client.incrementFloat({ connectionId, key, by });
      const stored = t((await client.get({ connectionId, key })).value);
      expect(Number(stored)).toBe(value);
      return stored;
    };
    expect(await add(0.1)).toBe("0.1");
    expect(await add(0.2)).toBe("0.3");
    expect(await add(-0.3)).toBe("0");
    expect(await add(10.5)).toBe("10.5");
    expect(await add(1e15)).toBe("1000000000000010.5");
    await client.set({ connectionId, key, value: b("5.0e3") });
    expect(await add(200)).toBe("5200");
    await client.set({ connectionId, key, value: b("-.5") });
    expect(await add(1e-7)).toBe("-0.4999999");
  }),
  rule(
    "incrementFloat of what is no number, or by what is none, answers INVALID_ARGUMENT",
    async ({ client, connectionId }) => {
      for (const value of ["", " 1", "x", "1 ", "1e9999999999"]) {
        await client.set({ connectionId, key, value: b(value) });
        await fails(client.incrementFloat({ connectionId, key, by: 1 }), Code.InvalidArgument);
      }
      for (const by of [NaN, Infinity, -Infinity]) {
        await fails(
          client.incrementFloat({ connectionId, key: b("other"), by }),
          Code.InvalidArgument,
        );
      }
    },
  ),
  rule("append makes a value longer, and keeps its expiry", async ({ client, connectionId }) => {
    expect((await client.append({ connectionId, key, value: b("ab") })).length).toBe(2n);
    await client.expire({ connectionId, key, ttlMs: MINUTE });
    expect((await client.append({ connectionId, key, value: b("c") })).length).toBe(3n);
    expect(t((await client.get({ connectionId, key })).value)).toBe("abc");
    expect((await client.timeToLive({ connectionId, key })).ttlMs).toBeGreaterThan(50_000n);
  }),
  rule("getDelete answers the value and deletes the key", async ({ client, connectionId }) => {
    expect((await client.getDelete({ connectionId, key })).value).toBeUndefined();
    await client.set({ connectionId, key, value: b("v") });
    expect(t((await client.getDelete({ connectionId, key })).value)).toBe("v");
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
    await client.setAdd({ connectionId, key, members: [b("m")] });
    await fails(client.getDelete({ connectionId, key }), Code.InvalidArgument);
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(1n);
  }),
  rule(
    "getExpire answers the value and changes its expiry, if it is told to",
    async ({ client, connectionId }) => {
      const ttl = async (): Promise<bigint | undefined> =>
        (await client.timeToLive({ connectionId, key })).ttlMs;
      expect((await client.getExpire({ connectionId, key })).value).toBeUndefined();
      // What expires too late is not looked at where nothing is there that could.
      const late = { case: "expireInMs" as const, value: 2n ** 63n - 1n };
      expect((await client.getExpire({ connectionId, key, expiry: late })).value).toBeUndefined();
      await client.set({ connectionId, key, value: b("v") });
      await client.getExpire({ connectionId, key, expiry: { case: "expireInMs", value: MINUTE } });
      expect(await ttl()).toBeGreaterThan(50_000n);
      expect(t((await client.getExpire({ connectionId, key })).value)).toBe("v");
      expect(await ttl()).toBeGreaterThan(50_000n);
      await client.getExpire({ connectionId, key, expiry: { case: "persist", value: true } });
      expect(await ttl()).toBeUndefined();
      await client.getExpire({ connectionId, key, expiry: { case: "expireAtMs", value: 1n } });
      expect((await client.get({ connectionId, key })).value).toBeUndefined();
      await fails(
        client.getExpire({ connectionId, key, expiry: { case: "expireInMs", value: 0n } }),
        Code.InvalidArgument,
      );
    },
  ),
  rule(
    "compareAndSet writes only over what is expected, and says what was there",
    async ({ client, connectionId }) => {
      const swap = async (
        expected: string | undefined,
        value: string | undefined,
      ): Promise<unknown> => {
        const answer = await client.compareAndSet({
          connectionId,
          key,
          ...(expected !== undefined && { expected: b(expected) }),
          ...(value !== undefined && { value: b(value) }),
        });
        return [answer.swapped, t(answer.previous)];
      };
      expect(await swap("1", "2")).toEqual([false, undefined]);
      expect(await swap(undefined, "")).toEqual([true, undefined]);
      expect(await swap(undefined, "1")).toEqual([false, ""]);
      expect(await swap("", "1")).toEqual([true, ""]);
      expect(await swap("x", "2")).toEqual([false, "1"]);
      expect(await swap("x", undefined)).toEqual([false, "1"]);
      expect(await swap("1", undefined)).toEqual([true, "1"]);
      expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
    },
  ),
  rule("compareAndSet is atomic: of many at once, one swaps", async ({ client, connectionId }) => {
    const tries = Array.from({ length: 50 }, (_, i) =>
      client.compareAndSet({ connectionId, key, value: b(String(i)) }),
    );
    const answers = await Promise.all(tries);
    expect(answers.filter(({ swapped }) => swapped)).toHaveLength(1);
  }),
  rule("compareAndSet sets the expiry, and needs a string", async ({ client, connectionId }) => {
    const request = { connectionId, key, value: b("v") };
    await client.compareAndSet({ ...request, expiry: { case: "expireInMs", value: MINUTE } });
    await client.compareAndSet({
      ...request,
      expected: b("v"),
      expiry: { case: "keepTtl", value: true },
    });
    expect((await client.timeToLive({ connectionId, key })).ttlMs).toBeGreaterThan(50_000n);
    await client.compareAndSet({ ...request, expected: b("v") });
    expect((await client.timeToLive({ connectionId, key })).ttlMs).toBeUndefined();
    await fails(
      client.compareAndSet({ ...request, expiry: { case: "expireInMs", value: -1n } }),
      Code.InvalidArgument,
    );
    await client.setAdd({ connectionId, key: b("s"), members: [b("m")] });
    await fails(client.compareAndSet({ connectionId, key: b("s") }), Code.InvalidArgument);
  }),
];
