/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { SetCondition } from "../../src/index.ts";
import { allBytes, b, fails, rule, type Rule, t } from "./rule.ts";

export const stringRules: readonly Rule[] = [
  rule("get of an absent key is OK, without a value", async ({ client, connectionId }) => {
    expect((await client.get({ connectionId, key: b("k") })).value).toBeUndefined();
  }),
  rule("keys and values are any bytes, and may be empty", async ({ client, connectionId }) => {
    for (const bytes of [allBytes, new Uint8Array()]) {
      await client.set({ connectionId, key: bytes, value: bytes });
      const { value } = await client.get({ connectionId, key: bytes });
      expect(Uint8Array.from(value ?? [])).toEqual(bytes);
    }
  }),
  rule("a value of a megabyte comes back as it was", async ({ client, connectionId }) => {
    const value = Uint8Array.from({ length: 2 ** 20 }, (_, i) => (i * 7) & 255);
    await client.set({ connectionId, key: b("k"), value });
    const got = await client.get({ connectionId, key: b("k") });
    expect(Buffer.compare(got.value ?? b(""), value)).toBe(0);
  }),
  rule("set with a condition writes only if it holds", async ({ client, connectionId }) => {
    const set = async (value: string, condition: SetCondition): Promise<boolean> =>
      (await client.set({ connectionId, key: b("k"), value: b(value), condition })).written;
    expect(await set("1", SetCondition.IF_PRESENT)).toBe(false);
    expect(await set("2", SetCondition.IF_ABSENT)).toBe(true);
    expect(await set("3", SetCondition.IF_ABSENT)).toBe(false);
    expect(t((await client.get({ connectionId, key: b("k") })).value)).toBe("2");
    expect(await set("4", SetCondition.IF_PRESENT)).toBe(true);
    expect(t((await client.get({ connectionId, key: b("k") })).value)).toBe("4");
  }),
  rule(
    "set with get answers what was there, and whether it was written",
    async ({ client, connectionId }) => {
      const set = async (
        value: string,
        condition?: SetCondition,
      ): Promise<[boolean, string | undefined]> => {
        const request = { connectionId, key: b("k"), value: b(value), get: true };
        const answer = await client.set({
          ...request,
          ...(condition !== undefined && { condition }),
        });
        return [answer.written, t(answer.previous)];
      };
      expect(await set("0", SetCondition.IF_PRESENT)).toEqual([false, undefined]);
      expect(await set("1")).toEqual([true, undefined]);
      expect(await set("2")).toEqual([true, "1"]);
      expect(await set("3", SetCondition.IF_ABSENT)).toEqual([false, "2"]);
      expect(await set("4", SetCondition.IF_PRESENT)).toEqual([true, "2"]);
      expect(t((await client.get({ connectionId, key: b("k") })).value)).toBe("4");
    },
  ),
  rule(
    "set replaces a value of any type, and with get it needs a string",
    async ({ client, connectionId }) => {
      const key = b("z");
      await client.sortedSetAdd({ connectionId, key, members: [{ member: b("m"), score: 1 }] });
      await fails(
        client.set({ connectionId, key, value: b("v"), get: true }),
        Code.InvalidArgument,
      );
      await client.set({ connectionId, key, value: b("v") });
      expect(t((await client.get({ connectionId, key })).value)).toBe("v");
    },
  ),
  rule(
    "set refuses an expiry that is not above 0, and an unknown condition",
    async ({ client, connectionId }) => {
      const request = { connectionId, key: b("k"), value: b("v") };
      for (const value of [0n, -1n]) {
        await fails(
          client.set({ ...request, expiry: { case: "expireInMs", value } }),
          Code.InvalidArgument,
        );
        await fails(
          client.set({ ...request, expiry: { case: "expireAtMs", value } }),
          Code.InvalidArgument,
        );
      }
      await fails(client.set({ ...request, condition: 9 as SetCondition }), Code.InvalidArgument);
      expect((await client.exists({ connectionId, keys: [b("k")] })).existing).toBe(0n);
    },
  ),
  rule(
    "a command on a value of another type answers INVALID_ARGUMENT",
    async ({ client, connectionId }) => {
      await client.set({ connectionId, key: b("s"), value: b("v") });
      await client.sortedSetAdd({
        connectionId,
        key: b("z"),
        members: [{ member: b("m"), score: 1 }],
      });
      await fails(client.get({ connectionId, key: b("z") }), Code.InvalidArgument);
      await fails(client.increment({ connectionId, key: b("z") }), Code.InvalidArgument);
      await fails(client.sortedSetCard({ connectionId, key: b("s") }), Code.InvalidArgument);
      const increments = [{ member: b("m"), by: 1 }];
      await fails(
        client.sortedSetIncrement({ connectionId, key: b("s"), increments }),
        Code.InvalidArgument,
      );
    },
  ),
  rule("delete and exists count keys of every type", async ({ client, connectionId }) => {
    await client.set({ connectionId, key: b("s"), value: b("v") });
    await client.sortedSetAdd({
      connectionId,
      key: b("z"),
      members: [{ member: b("m"), score: 1 }],
    });
    const keys = [b("s"), b("z"), b("none"), b("s")];
    expect((await client.exists({ connectionId, keys })).existing).toBe(3n);
    expect((await client.delete({ connectionId, keys })).deleted).toBe(2n);
    expect((await client.exists({ connectionId, keys })).existing).toBe(0n);
  }),
  rule(
    "multiSet and multiGet keep the order; what is no string has no value",
    async ({ client, connectionId }) => {
      await client.sortedSetAdd({
        connectionId,
        key: b("z"),
        members: [{ member: b("m"), score: 1 }],
      });
      const pairs = [
        { key: b("a"), value: b("1") },
        { key: b("b"), value: b("") },
        { key: b("a"), value: b("2") },
      ];
      await client.multiSet({ connectionId, pairs });
      const keys = ["b", "none", "z", "a", "a"].map((key) => b(key));
      const { values } = await client.multiGet({ connectionId, keys });
      expect(values.map(({ value }) => t(value))).toEqual(["", undefined, undefined, "2", "2"]);
    },
  ),
  rule(
    "a call without a key, pair or member answers INVALID_ARGUMENT",
    async ({ client, connectionId }) => {
      await fails(client.delete({ connectionId }), Code.InvalidArgument);
      await fails(client.exists({ connectionId }), Code.InvalidArgument);
      await fails(client.multiGet({ connectionId }), Code.InvalidArgument);
      await fails(client.multiSet({ connectionId }), Code.InvalidArgument);
      await fails(client.sortedSetAdd({ connectionId }), Code.InvalidArgument);
      await fails(client.sortedSetIncrement({ connectionId }), Code.InvalidArgument);
      await fails(client.sortedSetRemove({ connectionId }), Code.InvalidArgument);
    },
  ),
  rule("increment adds, exactly, within 64 bits", async ({ client, connectionId }) => {
    const key = b("n");
    const add = async (by?: bigint): Promise<bigint> =>
      (await client.increment({ connectionId, key, ...(by !== undefined && { by }) })).value;
    expect(await add()).toBe(1n);
    expect(await add(0n)).toBe(1n);
    expect(await add(-3n)).toBe(-2n);
    expect(await add(2n ** 62n)).toBe(2n ** 62n - 2n);
    expect(await add(2n ** 62n - 1n)).toBe(2n ** 63n - 3n);
    await fails(add(3n), Code.OutOfRange);
    expect(await add(2n)).toBe(2n ** 63n - 1n);
    expect(t((await client.get({ connectionId, key })).value)).toBe("9223372036854775807");
  }),
  rule(
    "increment of what is no whole number answers INVALID_ARGUMENT",
    async ({ client, connectionId }) => {
      for (const value of ["", " 1", "1.0", "+1", "01", "x", "9223372036854775808"]) {
        await client.set({ connectionId, key: b("n"), value: b(value) });
        await fails(client.increment({ connectionId, key: b("n") }), Code.InvalidArgument);
      }
    },
  ),
];
