/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { SortedSetAddCondition, type SortedSetRangeRequestSchema } from "../../src/index.ts";
import { allBytes, b, fails, rule, type Rule, type RuleWorld, t } from "./rule.ts";

const key = b("z");
type Range = MessageInitShape<typeof SortedSetRangeRequestSchema>;

async function add(
  { client, connectionId }: RuleWorld,
  scores: Record<string, number>,
): Promise<void> {
  const members = Object.entries(scores).map(([member, score]) => ({ member: b(member), score }));
  await client.sortedSetAdd({ connectionId, key, members });
}

/** The members of a range, as text, with their scores if asked for. */
async function range({ client, connectionId }: RuleWorld, request: Range): Promise<unknown[]> {
  const { members } = await client.sortedSetRange({ connectionId, key, ...request });
  return members.map(({ member, score }) => (request.withScores ? [t(member), score] : t(member)));
}

const all: Range = { range: { case: "rank", value: { start: 0n, stop: -1n } } };
const letters = { a: 1, b: 2, c: 3, d: 4, e: 5 };

export const sortedSetRules: readonly Rule[] = [
  rule("members are ordered by score, and equal scores by their bytes", async (world) => {
    await add(world, { "\u00e9": 1, z: 1, Z: 1, "": 1, zz: 1, low: -1, high: 1e300, half: 0.5 });
    const scores = [
      ["low", -1],
      ["half", 0.5],
      ["", 1],
      ["Z", 1],
      ["z", 1],
      ["zz", 1],
      ["\u00e9", 1],
      ["high", 1e300],
    ];
    expect(await range(world, { ...all, withScores: true })).toEqual(scores);
    expect(await range(world, { ...all, reverse: true, withScores: true })).toEqual(
      scores.toReversed(),
    );
  }),
  rule(
    "members are any bytes, and scores any number that is one",
    async ({ client, connectionId }) => {
      const scores = [
        -Infinity,
        -0.1,
        5e-324,
        0.1 + 0.2,
        2 ** 53 - 1,
        1.7976931348623157e308,
        Infinity,
      ];
      const members = scores.map((score, i) => ({ member: allBytes.slice(i), score }));
      await client.sortedSetAdd({ connectionId, key, members });
      const answer = await client.sortedSetRange({ connectionId, key, ...all, withScores: true });
      expect(answer.members.map((m) => m.score)).toEqual(scores);
      expect(answer.members.map((m) => Uint8Array.from(m.member))).toEqual(
        members.map((m) => m.member),
      );
      const nan = { connectionId, key, members: [{ member: b("m"), score: NaN }] };
      await fails(client.sortedSetAdd(nan), Code.InvalidArgument);
    },
  ),
  rule("a range by rank counts from both ends, and outside there is nothing", async (world) => {
    await add(world, letters);
    const rank = async (start: bigint, stop: bigint, reverse = false): Promise<string> =>
      (await range(world, { range: { case: "rank", value: { start, stop } }, reverse })).join("");
    expect(await rank(0n, 1n)).toBe("ab");
    expect(await rank(-2n, -1n)).toBe("de");
    expect(await rank(-100n, 1n)).toBe("ab");
    expect(await rank(3n, 100n)).toBe("de");
    expect(await rank(2n, 1n)).toBe("");
    expect(await rank(5n, 9n)).toBe("");
    expect(await rank(0n, -9n)).toBe("");
    expect(await rank(0n, 1n, true)).toBe("ed");
    expect(await rank(-2n, -1n, true)).toBe("ba");
  }),
  rule(
    "a range by score has ends that may be left out or left open, an offset and a limit",
    async (world) => {
      await add(world, { ...letters, top: Infinity });
      const score = async (value: object, rest: Range = {}): Promise<unknown> =>
        (await range(world, { range: { case: "score", value }, ...rest })).join(",");
      const from = (end: number, exclusive = false): object => ({ score: end, exclusive });
      expect(await score({})).toBe("a,b,c,d,e,top");
      expect(await score({ min: from(2), max: from(4) })).toBe("b,c,d");
      expect(await score({ min: from(2, true), max: from(4, true) })).toBe("c");
      expect(await score({ min: from(2.5) })).toBe("c,d,e,top");
      expect(await score({ max: from(-Infinity) })).toBe("");
      expect(await score({ min: from(4), max: from(2) })).toBe("");
      expect(await score({ min: from(2), max: from(4) }, { reverse: true })).toBe("d,c,b");
      expect(await score({ min: from(1, true) }, { offset: 1n, limit: 2n })).toBe("c,d");
      expect(await score({}, { offset: 4n })).toBe("e,top");
      expect(await score({}, { limit: 0n })).toBe("");
      expect(await score({}, { reverse: true, offset: 1n, limit: 1n })).toBe("e");
      expect(await score({ min: from(2), max: from(3) }, { withScores: true })).toBe("b,2,c,3");
    },
  ),
  rule(
    "a range by bytes has ends that may be left out or left open, an offset and a limit",
    async (world) => {
      await add(world, { a: 0, aa: 0, b: 0, c: 0, "": 0 });
      const lex = async (value: object, rest: Range = {}): Promise<unknown> =>
        (await range(world, { range: { case: "lex", value }, ...rest })).join(",");
      const from = (member: string, exclusive = false): object => ({
        member: b(member),
        exclusive,
      });
      expect(await lex({})).toBe(",a,aa,b,c");
      expect(await lex({ min: from("a"), max: from("b") })).toBe("a,aa,b");
      expect(await lex({ min: from("a", true), max: from("b", true) })).toBe("aa");
      expect(await lex({ min: from("", true) }, { limit: 2n })).toBe("a,aa");
      expect(await lex({ max: from("b") }, { reverse: true, offset: 1n })).toBe("aa,a,");
      expect(await lex({ min: from("c"), max: from("a") })).toBe("");
    },
  ),
  rule("a range that makes no sense answers INVALID_ARGUMENT", async ({ client, connectionId }) => {
    const rank = { case: "rank", value: { start: 0n, stop: -1n } } as const;
    const score = { case: "score", value: {} } as const;
    const lex = { case: "lex", value: {} } as const;
    const bad: Range[] = [
      {},
      { range: rank, limit: 1n },
      { range: rank, offset: 1n },
      { range: score, offset: -1n },
      { range: score, limit: -1n },
      { range: { case: "score", value: { min: { score: NaN } } } },
      { range: lex, withScores: true },
    ];
    for (const request of bad) {
      await fails(client.sortedSetRange({ connectionId, key, ...request }), Code.InvalidArgument);
    }
  }),
  rule("a range and the card of an absent key are empty", async (world) => {
    expect(await range(world, all)).toEqual([]);
    const { client, connectionId } = world;
    expect((await client.sortedSetCard({ connectionId, key })).members).toBe(0n);
  }),
  rule("increment adds to many scores in one call, and a member may come twice", async (world) => {
    const { client, connectionId } = world;
    await add(world, { a: 1 });
    const increments = [
      ["a", 2],
      ["b", 0.5],
      ["a", -4],
      ["c", Infinity],
    ] as const;
    const request = {
      connectionId,
      key,
      increments: increments.map(([member, by]) => ({ member: b(member), by })),
    };
    expect((await client.sortedSetIncrement(request)).scores).toEqual([3, 0.5, -1, Infinity]);
    expect(await range(world, { ...all, withScores: true })).toEqual([
      ["a", -1],
      ["b", 0.5],
      ["c", Infinity],
    ]);
  }),
  rule("increment takes 100,000 members and refuses one more", async (world) => {
    const { client, connectionId } = world;
    const increments = Array.from({ length: 100_000 }, (_, i) => ({ member: b(`m${i}`), by: i }));
    const { scores } = await client.sortedSetIncrement({ connectionId, key, increments });
    expect(scores.slice(99_998)).toEqual([99_998, 99_999]);
    expect((await client.sortedSetCard({ connectionId, key })).members).toBe(100_000n);
    const more = [...increments, { member: b("x"), by: 1 }];
    await fails(
      client.sortedSetIncrement({ connectionId, key, increments: more }),
      Code.ResourceExhausted,
    );
  }),
  rule(
    "increment by what is no number, or to what is none, answers INVALID_ARGUMENT",
    async (world) => {
      const { client, connectionId } = world;
      const by = (...values: number[]): Promise<unknown> =>
        client.sortedSetIncrement({
          connectionId,
          key,
          increments: values.map((v) => ({ member: b("m"), by: v })),
        });
      await fails(by(1, NaN), Code.InvalidArgument);
      expect(await range(world, all)).toEqual([]);
      await fails(by(Infinity, -Infinity), Code.InvalidArgument);
      expect(await range(world, { ...all, withScores: true })).toEqual([["m", Infinity]]);
    },
  ),
  rule("add with a condition touches only the members that fulfil it", async (world) => {
    const { client, connectionId } = world;
    const C = SortedSetAddCondition;
    const run = async (
      condition: SortedSetAddCondition,
      countChanged = false,
    ): Promise<[bigint, string]> => {
      await client.delete({ connectionId, keys: [key] });
      await add(world, { up: 1, down: 9 });
      const members = [
        ["up", 5],
        ["down", 5],
        ["new", 5],
      ] as const;
      const { added } = await client.sortedSetAdd({
        connectionId,
        key,
        members: members.map(([member, score]) => ({ member: b(member), score })),
        condition,
        countChanged,
      });
      return [added, (await range(world, { ...all, withScores: true })).join(" ")];
    };
    expect(await run(C.UNSPECIFIED)).toEqual([1n, "down,5 new,5 up,5"]);
    expect(await run(C.UNSPECIFIED, true)).toEqual([3n, "down,5 new,5 up,5"]);
    expect(await run(C.IF_ABSENT)).toEqual([1n, "up,1 new,5 down,9"]);
    expect(await run(C.IF_PRESENT)).toEqual([0n, "down,5 up,5"]);
    expect(await run(C.IF_ABSENT_OR_GREATER)).toEqual([1n, "new,5 up,5 down,9"]);
    expect(await run(C.IF_ABSENT_OR_LESS)).toEqual([1n, "up,1 down,5 new,5"]);
    expect(await run(C.IF_GREATER, true)).toEqual([1n, "up,5 down,9"]);
    expect(await run(C.IF_LESS, true)).toEqual([1n, "up,1 down,5"]);
  }),
  rule("remove counts what was there, and an empty set is an absent key", async (world) => {
    const { client, connectionId } = world;
    await add(world, { a: 1, b: 2 });
    const remove = async (...members: string[]): Promise<bigint> =>
      (await client.sortedSetRemove({ connectionId, key, members: members.map((m) => b(m)) }))
        .removed;
    expect(await remove("a", "none")).toBe(1n);
    expect((await client.sortedSetCard({ connectionId, key })).members).toBe(1n);
    expect(await remove("b", "b")).toBe(1n);
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
    expect(await remove("b")).toBe(0n);
  }),
];
