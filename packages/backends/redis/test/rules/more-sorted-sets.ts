/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { b, fails, rule, type Rule, type RuleWorld, t } from "./rule.ts";

const key = b("z");

async function add(
  { client, connectionId }: RuleWorld,
  scores: Record<string, number>,
): Promise<void> {
  const members = Object.entries(scores).map(([member, score]) => ({ member: b(member), score }));
  await client.sortedSetAdd({ connectionId, key, members });
}

async function all({ client, connectionId }: RuleWorld): Promise<string> {
  const range = { case: "rank", value: { start: 0n, stop: -1n } } as const;
  return (await client.sortedSetRange({ connectionId, key, range })).members
    .map((m) => t(m.member))
    .join("");
}

const letters = { a: 1, b: 2, c: 3, d: 4, e: 5 };

export const moreSortedSetRules: readonly Rule[] = [
  rule("scores are read for many members", async (world) => {
    const { client, connectionId } = world;
    await add(world, { a: 1.5, b: -Infinity });
    const members = ["b", "x", "a"].map((m) => b(m));
    const { scores } = await client.sortedSetScore({ connectionId, key, members });
    expect(scores.map(({ score }) => score)).toEqual([-Infinity, undefined, 1.5]);
    const none = await client.sortedSetScore({ connectionId, key: b("none"), members });
    expect(none.scores.map(({ score }) => score)).toEqual([undefined, undefined, undefined]);
    await fails(client.sortedSetScore({ connectionId, key }), Code.InvalidArgument);
  }),
  rule("the rank of a member counts from both ends", async (world) => {
    const { client, connectionId } = world;
    await add(world, letters);
    const rank = async (member: string, reverse = false): Promise<bigint | undefined> =>
      (await client.sortedSetRank({ connectionId, key, member: b(member), reverse })).rank;
    expect([await rank("a"), await rank("e"), await rank("a", true), await rank("x")]).toEqual([
      0n,
      4n,
      4n,
      undefined,
    ]);
  }),
  rule("members are counted by score and by bytes", async (world) => {
    const { client, connectionId } = world;
    await add(world, letters);
    const byScore = { min: { score: 2 }, max: { score: 4, exclusive: true } };
    const count = { connectionId, key };
    expect(
      (await client.sortedSetCount({ ...count, range: { case: "score", value: byScore } })).members,
    ).toBe(2n);
    await client.delete({ connectionId, keys: [key] });
    await add(world, { a: 0, b: 0, c: 0 });
    const byLex = { min: { member: b("a"), exclusive: true } };
    expect(
      (await client.sortedSetCount({ ...count, range: { case: "lex", value: byLex } })).members,
    ).toBe(2n);
    await fails(client.sortedSetCount(count), Code.InvalidArgument);
  }),
  rule("pop takes the least or the greatest", async (world) => {
    const { client, connectionId } = world;
    await add(world, letters);
    const pop = async (greatest: boolean, count = 0): Promise<unknown> =>
      (await client.sortedSetPop({ connectionId, key, greatest, count })).members.map((m) => [
        t(m.member),
        m.score,
      ]);
    expect(await pop(false)).toEqual([["a", 1]]);
    expect(await pop(true, 2)).toEqual([
      ["e", 5],
      ["d", 4],
    ]);
    expect(await pop(false, 9)).toEqual([
      ["b", 2],
      ["c", 3],
    ]);
    expect(await pop(false)).toEqual([]);
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
  }),
  rule("a range is removed by rank, by score and by bytes", async (world) => {
    const { client, connectionId } = world;
    await add(world, letters);
    const remove = { connectionId, key };
    const rank = { case: "rank", value: { start: -1n, stop: -1n } } as const;
    expect((await client.sortedSetRemoveRange({ ...remove, range: rank })).removed).toBe(1n);
    const score = { case: "score", value: { max: { score: 2, exclusive: true } } } as const;
    expect((await client.sortedSetRemoveRange({ ...remove, range: score })).removed).toBe(1n);
    expect(await all(world)).toBe("bcd");
    await client.delete({ connectionId, keys: [key] });
    await add(world, { a: 0, b: 0, c: 0 });
    const lex = { case: "lex", value: { min: { member: b("b") } } } as const;
    expect((await client.sortedSetRemoveRange({ ...remove, range: lex })).removed).toBe(2n);
    expect(await all(world)).toBe("a");
    await fails(client.sortedSetRemoveRange(remove), Code.InvalidArgument);
  }),
  rule("sortedSetScan finds every member with its score, in pages", async (world) => {
    const { client, connectionId } = world;
    const scores = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, i / 8]));
    await add(world, scores);
    const found: Record<string, number> = {};
    let cursor: Uint8Array = new Uint8Array();
    do {
      const page = await client.sortedSetScan({
        connectionId,
        key,
        cursor,
        match: b("m*"),
        count: 50,
      });
      for (const { member, score } of page.members) found[t(member) ?? ""] = score;
      cursor = page.cursor;
    } while (cursor.length > 0);
    expect(found).toEqual(scores);
  }),
];
