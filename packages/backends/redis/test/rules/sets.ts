/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { SetOperation } from "../../src/index.ts";
import { allBytes, b, fails, rule, type Rule, type RuleWorld, t } from "./rule.ts";

const key = b("s");

async function add(
  { client, connectionId }: RuleWorld,
  name: string,
  text: string,
): Promise<bigint> {
  const members = text.split("").map((member) => b(member));
  return (await client.setAdd({ connectionId, key: b(name), members })).added;
}

function sorted(members: readonly Uint8Array[]): string {
  return members.map(t).join("").split("").toSorted().join("");
}

export const setRules: readonly Rule[] = [
  rule("members are added, found, counted and removed, each once", async (world) => {
    const { client, connectionId } = world;
    expect(await add(world, "s", "abca")).toBe(3n);
    expect(await add(world, "s", "cd")).toBe(1n);
    const members = ["a", "x", "d"].map((member) => b(member));
    expect((await client.setContains({ connectionId, key, members })).contained).toEqual([
      true,
      false,
      true,
    ]);
    expect(sorted((await client.setMembers({ connectionId, key })).members)).toBe("abcd");
    expect((await client.setCard({ connectionId, key })).members).toBe(4n);
    expect((await client.setRemove({ connectionId, key, members })).removed).toBe(2n);
    expect((await client.setRemove({ connectionId, key, members: [b("b"), b("c")] })).removed).toBe(
      2n,
    );
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
    expect((await client.setMembers({ connectionId, key })).members).toEqual([]);
    expect((await client.setContains({ connectionId, key, members })).contained).toEqual([
      false,
      false,
      false,
    ]);
    await fails(client.setAdd({ connectionId, key }), Code.InvalidArgument);
  }),
  rule("members are any bytes", async ({ client, connectionId }) => {
    const members = [allBytes, b(""), Uint8Array.of(0xff), Uint8Array.of(0xfe)];
    expect((await client.setAdd({ connectionId, key, members })).added).toBe(4n);
    expect((await client.setContains({ connectionId, key, members })).contained).toEqual([
      true,
      true,
      true,
      true,
    ]);
  }),
  rule("members come by chance: random leaves them, pop takes them", async (world) => {
    const { client, connectionId } = world;
    await add(world, "s", "abcdef");
    const random = await client.setRandom({ connectionId, key, count: 4 });
    expect(new Set(random.members.map(t)).size).toBe(4);
    expect((await client.setRandom({ connectionId, key, count: 99 })).members).toHaveLength(6);
    expect((await client.setRandom({ connectionId, key })).members).toHaveLength(1);
    const popped = [
      ...(await client.setPop({ connectionId, key })).members,
      ...(await client.setPop({ connectionId, key, count: 99 })).members,
    ];
    expect(sorted(popped)).toBe("abcdef");
    expect((await client.setPop({ connectionId, key })).members).toEqual([]);
    expect((await client.setRandom({ connectionId, key })).members).toEqual([]);
  }),
  rule("a member moves to another set", async (world) => {
    const { client, connectionId } = world;
    await add(world, "s", "ab");
    const move = async (member: string, to = "t"): Promise<boolean> =>
      (await client.setMove({ connectionId, key, toKey: b(to), member: b(member) })).moved;
    expect(await move("a")).toBe(true);
    expect(await move("x")).toBe(false);
    expect(await move("b", "s")).toBe(true);
    expect(sorted((await client.setMembers({ connectionId, key })).members)).toBe("b");
    expect(sorted((await client.setMembers({ connectionId, key: b("t") })).members)).toBe("a");
    await client.set({ connectionId, key: b("string"), value: b("v") });
    await fails(move("b", "string"), Code.InvalidArgument);
    expect((await client.setCard({ connectionId, key })).members).toBe(1n);
  }),
  rule("sets become one, answered or stored", async (world) => {
    const { client, connectionId } = world;
    await add(world, "s", "abcd");
    await add(world, "t", "cde");
    const { INTERSECTION, UNION, DIFFERENCE } = SetOperation;
    const combine = async (operation: SetOperation, ...names: string[]): Promise<string> => {
      const request = { connectionId, keys: names.map((name) => b(name)), operation };
      const { members, count } = await client.setCombine(request);
      const stored = await client.setCombine({ ...request, storeKey: b("out") });
      expect([stored.count, stored.members]).toEqual([count, []]);
      const out = await client.setMembers({ connectionId, key: b("out") });
      expect(sorted(out.members)).toBe(sorted(members));
      return sorted(members);
    };
    expect(await combine(INTERSECTION, "s", "t")).toBe("cd");
    expect(await combine(UNION, "s", "t", "none")).toBe("abcde");
    expect(await combine(DIFFERENCE, "s", "t")).toBe("ab");
    expect(await combine(DIFFERENCE, "t", "s")).toBe("e");
    expect(await combine(INTERSECTION, "s", "none")).toBe("");
    expect((await client.exists({ connectionId, keys: [b("out")] })).existing).toBe(0n);
    await fails(client.setCombine({ connectionId, keys: [key] }), Code.InvalidArgument);
    await fails(client.setCombine({ connectionId, operation: UNION }), Code.InvalidArgument);
  }),
  rule("setScan finds every member, in pages", async (world) => {
    const { client, connectionId } = world;
    const members = Array.from({ length: 1000 }, (_, i) => `m${i}`);
    await client.setAdd({ connectionId, key, members: members.map((m) => b(m)) });
    const found = new Set<string>();
    let cursor: Uint8Array = new Uint8Array();
    do {
      const page = await client.setScan({ connectionId, key, cursor, match: b("m*"), count: 50 });
      for (const member of page.members) found.add(t(member) ?? "");
      cursor = page.cursor;
    } while (cursor.length > 0);
    expect([...found].toSorted()).toEqual(members.toSorted());
  }),
];
