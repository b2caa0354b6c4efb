/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import type { Value } from "../../src/index.ts";
import { allBytes, b, fails, rule, type Rule, type RuleWorld, t } from "./rule.ts";

/** What the targets of the rules list. */
export const LISTED = [
  "hgetall",
  "INCRBY",
  "MGET",
  "TYPE",
  "GET",
  "ZMSCORE",
  "NOSUCH",
  "OBJECT ENCODING",
];
/** The scripts that they give. */
export const SCRIPTS = { pair: "return {KEYS[1], ARGV[1]}" };

/** A value in a few letters. */
function short(value: Value | undefined): unknown {
  const { kind } = value ?? {};
  if (kind?.case === undefined) return null;
  if (kind.case === "bytes") return t(kind.value);
  if (kind.case === "list") return kind.value.values.map(short);
  if (kind.case === "map")
    return Object.fromEntries(kind.value.pairs.map((p) => [short(p.key), short(p.value)]));
  return `${kind.case} ${String(kind.value)}`;
}

async function run(
  { client, connectionId }: RuleWorld,
  command: string,
  ...args: string[]
): Promise<unknown> {
  const answer = await client.execute({
    connectionId,
    command,
    arguments: args.map((arg) => b(arg)),
  });
  return short(answer.reply);
}

export const executeRules: readonly Rule[] = [
  rule("execute runs a listed command, and answers its reply as a typed value", async (world) => {
    const { client, connectionId } = world;
    await client.hashSet({ connectionId, key: b("h"), fields: [{ field: b("f"), value: b("1") }] });
    expect(await run(world, "HGETALL", "h")).toEqual({ f: "1" });
    expect(await run(world, "hgetall", "none")).toEqual({});
    expect(await run(world, "type", "h")).toBe("status hash");
    expect(await run(world, "INCRBY", "n", "9007199254740993")).toBe("integer 9007199254740993");
    expect(await run(world, "MGET", "n", "none")).toEqual(["9007199254740993", null]);
  }),
  rule("execute keeps bytes that are no text", async ({ client, connectionId }) => {
    await client.hashSet({
      connectionId,
      key: allBytes,
      fields: [{ field: allBytes, value: allBytes }],
    });
    const { reply } = await client.execute({
      connectionId,
      command: "HGETALL",
      arguments: [allBytes],
    });
    const pairs = reply?.kind.case === "map" ? reply.kind.value.pairs : [];
    const bytes = pairs
      .flatMap(({ key, value }) => [key, value])
      .map((v) => v?.kind.value as Uint8Array);
    expect(bytes.map((value) => Uint8Array.from(value))).toEqual([allBytes, allBytes]);
  }),
  rule("execute tells a double from a whole number", async (world) => {
    const { client, connectionId } = world;
    const members = [
      { member: b("a"), score: 1.5 },
      { member: b("b"), score: 2 },
    ];
    await client.sortedSetAdd({ connectionId, key: b("z"), members });
    expect(await run(world, "ZMSCORE", "z", "a", "b", "c")).toEqual([
      "double 1.5",
      "double 2",
      null,
    ]);
  }),
  rule(
    "execute of what is not listed answers PERMISSION_DENIED",
    async ({ client, connectionId }) => {
      for (const command of [
        "FLUSHALL",
        "SET",
        "OBJECT",
        "OBJECT FREQ",
        "CONFIG GET",
        "EVAL",
        "DEL",
      ]) {
        await fails(client.execute({ connectionId, command }), Code.PermissionDenied);
      }
    },
  ),
  rule(
    "execute of what is no command answers INVALID_ARGUMENT",
    async ({ client, connectionId }) => {
      for (const command of ["", " GET", "GET\r\nFLUSHALL", "GET k v", "GET\0", "*1"]) {
        await fails(client.execute({ connectionId, command }), Code.InvalidArgument);
      }
    },
  ),
  rule("a command that fails answers the code of its error", async ({ client, connectionId }) => {
    await client.setAdd({ connectionId, key: b("s"), members: [b("m")] });
    const get = { connectionId, command: "GET", arguments: [b("s")] };
    await fails(client.execute(get), Code.InvalidArgument);
    await fails(client.execute({ ...get, arguments: [] }), Code.InvalidArgument);
  }),
  rule(
    "a command that the server does not have answers UNIMPLEMENTED",
    async ({ client, connectionId }) => {
      await fails(
        client.execute({ connectionId, command: "NOSUCH", arguments: [] }),
        Code.Unimplemented,
      );
    },
  ),
  rule("a script of the operator runs by its name", async ({ client, connectionId }) => {
    const call = { connectionId, keys: [b("k")], arguments: [allBytes] };
    const { reply } = await client.eval({ ...call, script: { case: "name", value: "pair" } });
    const values = reply?.kind.case === "list" ? reply.kind.value.values : [];
    expect(Uint8Array.from((values[1]?.kind.value ?? []) as Uint8Array)).toEqual(allBytes);
  }),
  rule(
    "a script of the guest runs, is loaded on demand, and answers a typed value",
    async ({ client, connectionId }) => {
      const source = `redis.call('SET', KEYS[1], ARGV[1]) -- ${Math.random()}
      return {redis.call('GET', KEYS[1]), 1, false, redis.status_reply('FINE'), {'deep'}}`;
      for (let i = 0; i < 2; i++) {
        const script = { case: "source", value: source } as const;
        const { reply } = await client.eval({
          connectionId,
          script,
          keys: [b("k")],
          arguments: [b("v")],
        });
        expect(short(reply)).toEqual(["v", "integer 1", null, "status FINE", ["deep"]]);
      }
    },
  ),
  rule(
    "a script that fails answers INVALID_ARGUMENT, one that is not there NOT_FOUND",
    async ({ client, connectionId }) => {
      await fails(client.eval({ connectionId }), Code.InvalidArgument);
      await fails(
        client.eval({ connectionId, script: { case: "name", value: "none" } }),
        Code.NotFound,
      );
      for (const source of ["return {", "error('x')", "return redis.call('NOSUCH')"]) {
        await fails(
          client.eval({ connectionId, script: { case: "source", value: source } }),
          Code.InvalidArgument,
        );
      }
    },
  ),
];
