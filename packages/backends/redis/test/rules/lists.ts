/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { ListEnd } from "../../src/index.ts";
import { b, fails, rule, type Rule, type RuleWorld, t } from "./rule.ts";

const key = b("l");
const { LEFT, RIGHT } = ListEnd;

async function push(
  world: RuleWorld,
  text: string,
  end: ListEnd = RIGHT,
  name = "l",
): Promise<bigint> {
  const values = text.split("").map((value) => b(value));
  return (
    await world.client.listPush({ connectionId: world.connectionId, key: b(name), values, end })
  ).length;
}

async function all({ client, connectionId }: RuleWorld, name = "l"): Promise<string> {
  const { values } = await client.listRange({ connectionId, key: b(name), start: 0n, stop: -1n });
  return values.map(t).join("");
}

export const listRules: readonly Rule[] = [
  rule("elements are pushed and popped at both ends", async (world) => {
    const { client, connectionId } = world;
    expect(await push(world, "abc")).toBe(3n);
    expect(await push(world, "xy", LEFT)).toBe(5n);
    expect(await all(world)).toBe("yxabc");
    const pop = async (end: ListEnd, count = 0): Promise<string> =>
      (await client.listPop({ connectionId, key, end, count })).values.map(t).join("");
    expect(await pop(LEFT)).toBe("y");
    expect(await pop(RIGHT, 2)).toBe("cb");
    expect(await pop(LEFT, 9)).toBe("xa");
    expect(await pop(LEFT)).toBe("");
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
  }),
  rule("a push that needs a list makes none", async ({ client, connectionId }) => {
    const request = { connectionId, key, values: [b("v")], end: LEFT, ifPresent: true };
    expect((await client.listPush(request)).length).toBe(0n);
    await client.listPush({ ...request, ifPresent: false });
    expect((await client.listPush(request)).length).toBe(2n);
  }),
  rule(
    "a push, pop or move without an end answers INVALID_ARGUMENT",
    async ({ client, connectionId }) => {
      await fails(client.listPush({ connectionId, key, values: [b("v")] }), Code.InvalidArgument);
      await fails(client.listPush({ connectionId, key, end: LEFT }), Code.InvalidArgument);
      await fails(client.listPop({ connectionId, key }), Code.InvalidArgument);
      await fails(
        client.listMove({ connectionId, key, toKey: key, fromEnd: LEFT }),
        Code.InvalidArgument,
      );
    },
  ),
  rule("elements are read by their place, from both ends", async (world) => {
    const { client, connectionId } = world;
    await push(world, "abcde");
    const range = async (start: bigint, stop: bigint): Promise<string> =>
      (await client.listRange({ connectionId, key, start, stop })).values.map(t).join("");
    expect(await range(1n, 2n)).toBe("bc");
    expect(await range(-2n, 99n)).toBe("de");
    expect(await range(3n, 1n)).toBe("");
    expect(await range(9n, 10n)).toBe("");
    const at = async (index: bigint): Promise<string | undefined> =>
      t((await client.listIndex({ connectionId, key, index })).value);
    expect([await at(0n), await at(-1n), await at(5n), await at(-6n)]).toEqual([
      "a",
      "e",
      undefined,
      undefined,
    ]);
    expect((await client.listLength({ connectionId, key })).length).toBe(5n);
    expect((await client.listLength({ connectionId, key: b("none") })).length).toBe(0n);
  }),
  rule("elements are written, inserted, removed and trimmed", async (world) => {
    const { client, connectionId } = world;
    await push(world, "abcab");
    await client.listSet({ connectionId, key, index: -1n, value: b("x") });
    expect(await all(world)).toBe("abcax");
    await fails(client.listSet({ connectionId, key, index: 5n, value: b("x") }), Code.OutOfRange);
    await fails(
      client.listSet({ connectionId, key: b("none"), index: 0n, value: b("x") }),
      Code.NotFound,
    );
    const insert = { connectionId, key, pivot: b("a"), value: b("i") };
    expect((await client.listInsert(insert)).length).toBe(6n);
    expect((await client.listInsert({ ...insert, after: true })).length).toBe(7n);
    expect(await all(world)).toBe("iaibcax");
    expect((await client.listInsert({ ...insert, pivot: b("none") })).length).toBe(-1n);
    expect((await client.listInsert({ ...insert, key: b("none") })).length).toBe(0n);
    const remove = async (value: string, count: bigint): Promise<bigint> =>
      (await client.listRemove({ connectionId, key, value: b(value), count })).removed;
    expect(await remove("a", -1n)).toBe(1n);
    expect(await remove("i", 1n)).toBe(1n);
    expect(await all(world)).toBe("aibcx");
    await push(world, "aa");
    expect(await remove("a", 0n)).toBe(3n);
    await client.listTrim({ connectionId, key, start: 1n, stop: -2n });
    expect(await all(world)).toBe("bc");
    await client.listTrim({ connectionId, key, start: 5n, stop: 9n });
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
  }),
  rule("an element moves between lists, and within one", async (world) => {
    const { client, connectionId } = world;
    await push(world, "abc");
    const move = async (
      to: string,
      fromEnd: ListEnd,
      toEnd: ListEnd,
    ): Promise<string | undefined> =>
      t((await client.listMove({ connectionId, key, toKey: b(to), fromEnd, toEnd })).value);
    expect(await move("l", RIGHT, LEFT)).toBe("c");
    expect(await all(world)).toBe("cab");
    expect(await move("m", LEFT, RIGHT)).toBe("c");
    expect(await move("m", LEFT, LEFT)).toBe("a");
    expect([await all(world), await all(world, "m")]).toEqual(["b", "ac"]);
    await client.set({ connectionId, key: b("s"), value: b("v") });
    await fails(move("s", LEFT, LEFT), Code.InvalidArgument);
    expect(await all(world)).toBe("b");
    expect(await move("l", LEFT, RIGHT)).toBe("b");
    expect(await move("m", LEFT, RIGHT)).toBe("b");
    expect(await move("m", LEFT, RIGHT)).toBeUndefined();
  }),
];
