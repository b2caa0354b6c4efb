/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { allBytes, b, fails, rule, type Rule, type RuleWorld, t } from "./rule.ts";

const key = b("h");

async function set(
  { client, connectionId }: RuleWorld,
  fields: Record<string, string>,
): Promise<bigint> {
  const pairs = Object.entries(fields).map(([field, value]) => ({
    field: b(field),
    value: b(value),
  }));
  return (await client.hashSet({ connectionId, key, fields: pairs })).added;
}

export const hashRules: readonly Rule[] = [
  rule("a hash holds fields and values of any bytes", async (world) => {
    const { client, connectionId } = world;
    const fields = [
      { field: allBytes, value: allBytes },
      { field: b(""), value: b("") },
    ];
    expect((await client.hashSet({ connectionId, key, fields })).added).toBe(2n);
    const all = (await client.hashGetAll({ connectionId, key })).fields;
    const pairs = all.map(({ field, value }) => [Uint8Array.from(field), Uint8Array.from(value)]);
    expect(pairs.toSorted((x, y) => (x[0]?.length ?? 0) - (y[0]?.length ?? 0))).toEqual([
      [b(""), b("")],
      [allBytes, allBytes],
    ]);
  }),
  rule("hash fields are written, read, counted and deleted", async (world) => {
    const { client, connectionId } = world;
    expect(await set(world, { a: "1", b: "2" })).toBe(2n);
    expect(await set(world, { b: "3", c: "4" })).toBe(1n);
    const get = async (field: string): Promise<string | undefined> =>
      t((await client.hashGet({ connectionId, key, field: b(field) })).value);
    expect([await get("a"), await get("b"), await get("x")]).toEqual(["1", "3", undefined]);
    const names = { connectionId, key, fields: ["c", "x", "a", "a"].map((field) => b(field)) };
    const { values } = await client.hashMultiGet(names);
    expect(values.map(({ value }) => t(value))).toEqual(["4", undefined, "1", "1"]);
    expect(
      (await client.hashKeys({ connectionId, key })).fields.map(t).join("").split("").toSorted(),
    ).toEqual(["a", "b", "c"]);
    expect(
      (await client.hashValues({ connectionId, key })).values.map(t).join("").split("").toSorted(),
    ).toEqual(["1", "3", "4"]);
    expect((await client.hashLength({ connectionId, key })).fields).toBe(3n);
    expect((await client.hashExists({ connectionId, key, field: b("a") })).exists).toBe(true);
    expect((await client.hashDelete(names)).deleted).toBe(2n);
    expect((await client.hashExists({ connectionId, key, field: b("a") })).exists).toBe(false);
    expect((await client.hashDelete({ connectionId, key, fields: [b("b")] })).deleted).toBe(1n);
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
  }),
  rule("an absent hash is empty", async ({ client, connectionId }) => {
    const h = { connectionId, key };
    expect((await client.hashGetAll(h)).fields).toEqual([]);
    expect((await client.hashKeys(h)).fields).toEqual([]);
    expect((await client.hashValues(h)).values).toEqual([]);
    expect((await client.hashLength(h)).fields).toBe(0n);
    expect((await client.hashScan(h)).fields).toEqual([]);
    expect((await client.hashMultiGet({ ...h, fields: [b("f")] })).values).toMatchObject([{}]);
  }),
  rule("hashSetIfAbsent leaves what is there", async (world) => {
    const { client, connectionId } = world;
    const field = b("f");
    expect(
      (await client.hashSetIfAbsent({ connectionId, key, field, value: b("1") })).written,
    ).toBe(true);
    expect(
      (await client.hashSetIfAbsent({ connectionId, key, field, value: b("2") })).written,
    ).toBe(false);
    expect(t((await client.hashGet({ connectionId, key, field })).value)).toBe("1");
  }),
  rule("hash fields count, in whole numbers and in others", async (world) => {
    const { client, connectionId } = world;
    const add = async (field: string, by?: bigint): Promise<bigint> =>
      (
        await client.hashIncrement({
          connectionId,
          key,
          field: b(field),
          ...(by !== undefined && { by }),
        })
      ).value;
    expect(await add("n")).toBe(1n);
    expect(await add("n", 2n ** 63n - 2n)).toBe(2n ** 63n - 1n);
    await fails(add("n"), Code.OutOfRange);
    const float = { connectionId, key, field: b("f") };
    await client.hashIncrementFloat({ ...float, by: 0.1 });
    expect((await client.hashIncrementFloat({ ...float, by: 0.2 })).value).toBe(0.3);
    await fails(add("f"), Code.InvalidArgument);
    await fails(client.hashIncrementFloat({ ...float, by: NaN }), Code.InvalidArgument);
    await set(world, { x: "x" });
    await fails(
      client.hashIncrementFloat({ ...float, field: b("x"), by: 1 }),
      Code.InvalidArgument,
    );
  }),
  rule("hashScan finds every field with its value, in pages", async (world) => {
    const { client, connectionId } = world;
    const fields = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, `v${i}`]));
    await set(world, fields);
    const found: Record<string, string | undefined> = {};
    let cursor: Uint8Array = new Uint8Array();
    do {
      const page = await client.hashScan({ connectionId, key, cursor, match: b("f*"), count: 100 });
      for (const { field, value } of page.fields) found[t(field) ?? ""] = t(value);
      cursor = page.cursor;
    } while (cursor.length > 0);
    expect(found).toEqual(fields);
    expect(
      (await client.hashScan({ connectionId, key, match: b("none*"), count: 10_000 })).fields,
    ).toEqual([]);
  }),
];
