/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { KeyType, ListEnd } from "../../src/index.ts";
import { b, fails, rule, type Rule, type RuleWorld, t } from "./rule.ts";

async function set({ client, connectionId }: RuleWorld, ...keys: string[]): Promise<void> {
  await client.multiSet({
    connectionId,
    pairs: keys.map((key) => ({ key: b(key), value: b(key) })),
  });
}

/** Everything that a scan finds, in order, each once. */
export async function scan(
  { client, connectionId }: Pick<RuleWorld, "client" | "connectionId">,
  request: { match?: Uint8Array; count?: number; type?: KeyType } = {},
): Promise<string[]> {
  const found = new Set<string>();
  let cursor: Uint8Array = new Uint8Array();
  do {
    const page = await client.scan({ connectionId, cursor, ...request });
    for (const key of page.keys) found.add(Buffer.from(key).toString("latin1"));
    cursor = page.cursor;
  } while (cursor.length > 0);
  return [...found].toSorted();
}

export const keyRules: readonly Rule[] = [
  rule("scan finds every key, in pages", async (world) => {
    const keys = Array.from({ length: 500 }, (_, i) => `key${i}`);
    await set(world, ...keys);
    for (const count of [0, 1, 7, 1000])
      expect(await scan(world, { count })).toEqual(keys.toSorted());
    const { client, connectionId } = world;
    const first = await client.scan({ connectionId, count: 10 });
    expect(first.keys.length).toBeLessThan(200);
    expect(first.cursor.length).toBeGreaterThan(0);
  }),
  rule(
    "scan finds the keys that are there all the while, whatever comes and goes",
    async (world) => {
      const { client, connectionId } = world;
      const stay = Array.from({ length: 100 }, (_, i) => `stay${i}`);
      const found = new Set<string | undefined>();
      await set(world, ...stay);
      let cursor: Uint8Array = new Uint8Array();
      for (let i = 0; i === 0 || cursor.length > 0; i++) {
        await set(world, `come${i}`);
        await client.delete({ connectionId, keys: [b(`come${i - 1}`)] });
        const page = await client.scan({ connectionId, cursor, count: 5 });
        for (const key of page.keys) found.add(t(key));
        cursor = page.cursor;
      }
      expect(stay.filter((key) => !found.has(key))).toEqual([]);
    },
  ),
  rule("scan finds what matches a pattern", async (world) => {
    await set(world, "a", "b", "ab", "a[b", "a*b", "a-b", "axxb", "a\\b", "^", "");
    const match = (pattern: string): Promise<string[]> => scan(world, { match: b(pattern) });
    expect(await match("a*")).toEqual(["a", "ab", "a[b", "a*b", "a-b", "axxb", "a\\b"].toSorted());
    expect(await match("a?b")).toEqual(["a*b", "a-b", "a[b", "a\\b"].toSorted());
    expect(await match("a\\*b")).toEqual(["a*b"]);
    expect(await match("a\\\\b")).toEqual(["a\\b"]);
    expect(await match("[ab]")).toEqual(["a", "b"]);
    expect(await match("[^a]")).toEqual(["^", "b"]);
    expect(await match("[b-a]")).toEqual(["a", "b"]);
    expect(await match("a[[]b")).toEqual(["a[b"]);
    expect(await match("*x*x*")).toEqual(["axxb"]);
    expect(await match("[z")).toEqual([]);
  }),
  rule("scan answers at once, whatever the pattern is", async (world) => {
    await set(world, "a".repeat(1000));
    expect(await scan(world, { match: b(`${"a*".repeat(50)}b`) })).toEqual([]);
  }),
  rule("scan finds keys of one type, and typeOf tells it", async (world) => {
    const { client, connectionId } = world;
    await set(world, "string");
    await client.hashSet({
      connectionId,
      key: b("hash"),
      fields: [{ field: b("f"), value: b("v") }],
    });
    await client.listPush({ connectionId, key: b("list"), values: [b("v")], end: ListEnd.LEFT });
    await client.setAdd({ connectionId, key: b("set"), members: [b("m")] });
    await client.sortedSetAdd({
      connectionId,
      key: b("zset"),
      members: [{ member: b("m"), score: 1 }],
    });
    const { STRING, HASH, LIST, SET, SORTED_SET, STREAM, OTHER } = KeyType;
    const types = { string: STRING, hash: HASH, list: LIST, set: SET, zset: SORTED_SET };
    for (const [key, type] of Object.entries(types)) {
      expect(await scan(world, { type })).toEqual([key]);
      expect((await client.typeOf({ connectionId, key: b(key) })).type).toBe(type);
    }
    expect((await client.typeOf({ connectionId, key: b("none") })).type).toBe(KeyType.UNSPECIFIED);
    expect(await scan(world, { type: STREAM })).toEqual([]);
    await fails(client.scan({ connectionId, type: OTHER }), Code.InvalidArgument);
  }),
  rule("a cursor that no scan answered is INVALID_ARGUMENT", async ({ client, connectionId }) => {
    for (const cursor of ["x", "-1", " 1", "1 MATCH *", "1".repeat(21)]) {
      await fails(client.scan({ connectionId, cursor: b(cursor) }), Code.InvalidArgument);
      await fails(client.hashScan({ connectionId, cursor: b(cursor) }), Code.InvalidArgument);
    }
    await fails(client.scan({ connectionId, count: 10_001 }), Code.InvalidArgument);
  }),
  rule("rename moves a key of any type with its expiry, over what was there", async (world) => {
    const { client, connectionId } = world;
    await client.setAdd({ connectionId, key: b("from"), members: [b("m")] });
    await client.expire({ connectionId, key: b("from"), ttlMs: 60_000n });
    await set(world, "to");
    const move = { connectionId, key: b("from"), newKey: b("to") };
    expect((await client.rename({ ...move, ifAbsent: true })).renamed).toBe(false);
    expect((await client.rename(move)).renamed).toBe(true);
    expect(await scan(world)).toEqual(["to"]);
    expect((await client.timeToLive({ connectionId, key: b("to") })).ttlMs).toBeGreaterThan(
      50_000n,
    );
    expect((await client.setCard({ connectionId, key: b("to") })).members).toBe(1n);
    expect((await client.rename({ connectionId, key: b("to"), newKey: b("to") })).renamed).toBe(
      true,
    );
    expect(
      (await client.rename({ connectionId, key: b("to"), newKey: b("new"), ifAbsent: true }))
        .renamed,
    ).toBe(true);
    for (const ifAbsent of [false, true])
      await fails(client.rename({ ...move, ifAbsent }), Code.NotFound);
  }),
  rule(
    "persist and expireAt change the expiry of a key that is there",
    async ({ client, connectionId }) => {
      const key = b("k");
      expect((await client.persist({ connectionId, key })).applied).toBe(false);
      expect((await client.expireAt({ connectionId, key, atMs: 1n })).applied).toBe(false);
      await client.set({ connectionId, key, value: b("v") });
      expect((await client.persist({ connectionId, key })).applied).toBe(false);
      const atMs = BigInt(Date.now() + 60_000);
      expect((await client.expireAt({ connectionId, key, atMs })).applied).toBe(true);
      expect((await client.timeToLive({ connectionId, key })).ttlMs).toBeGreaterThan(50_000n);
      expect((await client.persist({ connectionId, key })).applied).toBe(true);
      expect((await client.timeToLive({ connectionId, key })).ttlMs).toBeUndefined();
      expect((await client.expireAt({ connectionId, key, atMs: 1n })).applied).toBe(true);
      expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
    },
  ),
];
