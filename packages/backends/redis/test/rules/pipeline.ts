/* oxlint-disable vitest/no-standalone-expect -- each rule is proven inside a test, see rules.test.ts */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import type { PipelineCommandSchema, PipelineResult } from "../../src/index.ts";
import { b, fails, rule, type Rule, t } from "./rule.ts";

type Command = MessageInitShape<typeof PipelineCommandSchema>;
const key = b("k");
const set = (value: string): Command => ({
  command: { case: "set", value: { key, value: b(value) } },
});
const get: Command = { command: { case: "get", value: { key } } };
const increment: Command = { command: { case: "increment", value: { key } } };
const addMember: Command = { command: { case: "setAdd", value: { key, members: [b("m")] } } };
const swap: Command = {
  command: { case: "compareAndSet", value: { key, expected: b("2"), value: b("3") } },
};
const bad: Command = { command: { case: "delete", value: { keys: [] } } };

/** What became of commands, in a few letters. */
function short(results: readonly PipelineResult[]): unknown[] {
  return results.map(({ result }) => {
    if (result.case === "failure") return Code[result.value.code];
    if (result.case === "get") return t(result.value.value);
    if (result.case === "increment") return result.value.value;
    return result.case;
  });
}

export const pipelineRules: readonly Rule[] = [
  rule(
    "a pipeline answers each command, in order; one that fails stops no other",
    async ({ client, connectionId }) => {
      const commands = [set("1"), increment, addMember, bad, swap, get];
      const { results } = await client.pipeline({ connectionId, commands });
      const answers = ["set", 2n, "InvalidArgument", "InvalidArgument", "compareAndSet", "3"];
      expect(short(results)).toEqual(answers);
      const failure = results[2]?.result;
      expect(failure?.case === "failure" && failure.value.message).toContain("WRONGTYPE");
    },
  ),
  rule(
    "an empty pipeline is OK, one with an empty command is INVALID_ARGUMENT and sends nothing",
    async ({ client, connectionId }) => {
      expect((await client.pipeline({ connectionId })).results).toEqual([]);
      expect((await client.transaction({ connectionId })).results).toEqual([]);
      for (const call of [client.pipeline, client.transaction]) {
        await fails(call({ connectionId, commands: [set("1"), {}] }), Code.InvalidArgument);
      }
      expect((await client.get({ connectionId, key })).value).toBeUndefined();
    },
  ),
  rule("a pipeline takes 5,000 commands, and refuses 10,001", async ({ client, connectionId }) => {
    const commands = Array.from({ length: 5_000 }, () => increment);
    const { results } = await client.pipeline({ connectionId, commands });
    expect(short(results)).toEqual(Array.from({ length: 5_000 }, (_, i) => BigInt(i + 1)));
    const more = Array.from({ length: 10_001 }, () => increment);
    await fails(client.pipeline({ connectionId, commands: more }), Code.ResourceExhausted);
  }),
  rule(
    "a transaction answers each command, in order; one that fails stops no other",
    async ({ client, connectionId }) => {
      const commands = [set("1"), increment, addMember, swap, get];
      const { results } = await client.transaction({ connectionId, commands });
      expect(short(results)).toEqual(["set", 2n, "InvalidArgument", "compareAndSet", "3"]);
    },
  ),
  rule(
    "a transaction with a command that makes no sense does nothing",
    async ({ client, connectionId }) => {
      await fails(
        client.transaction({ connectionId, commands: [set("1"), bad] }),
        Code.InvalidArgument,
      );
      expect((await client.get({ connectionId, key })).value).toBeUndefined();
    },
  ),
  rule("transactions run with nothing between", async ({ client, connectionId, stranger }) => {
    const other = await stranger.open({});
    const mine = Array.from({ length: 20 }, () =>
      client.transaction({ connectionId, commands: [increment, increment, increment] }),
    );
    const theirs = Array.from({ length: 20 }, () =>
      stranger.increment({ connectionId: other.connectionId, key, by: 1000n }),
    );
    for (const { results } of await Promise.all(mine)) {
      const [first, second, third] = short(results) as bigint[];
      expect([second, third]).toEqual([(first ?? 0n) + 1n, (first ?? 0n) + 2n]);
    }
    await Promise.all(theirs);
  }),
  rule(
    "a transaction with a watch is done if no watched key has changed",
    async ({ client, connectionId }) => {
      await client.set({ connectionId, key, value: b("1") });
      const { watchId } = await client.watch({ connectionId, keys: [key, b("none")] });
      await client.set({ connectionId, key: b("other"), value: b("v") });
      await client.get({ connectionId, key });
      const { results } = await client.transaction({
        connectionId,
        watchId,
        commands: [increment],
      });
      expect(short(results)).toEqual([2n]);
      await fails(
        client.transaction({ connectionId, watchId, commands: [increment] }),
        Code.NotFound,
      );
    },
  ),
  rule(
    "a transaction whose watched key has changed is ABORTED, and does nothing",
    async ({ client, connectionId }) => {
      const change: (() => Promise<unknown>)[] = [
        () => client.set({ connectionId, key, value: b("1") }),
        () => client.increment({ connectionId, key }),
        () => client.expire({ connectionId, key, ttlMs: 60_000n }),
        () => client.delete({ connectionId, keys: [key] }),
        () => client.setAdd({ connectionId, key, members: [b("m")] }),
        () => client.setAdd({ connectionId, key, members: [b("n")] }),
        () => client.setRemove({ connectionId, key, members: [b("n")] }),
        () => client.rename({ connectionId, key, newKey: b("new") }),
        () => client.rename({ connectionId, key: b("new"), newKey: key }),
      ];
      for (const run of change) {
        const { watchId } = await client.watch({ connectionId, keys: [b("first"), key] });
        await run();
        const done = {
          command: { case: "set", value: { key: b("done"), value: b("v") } },
        } as const;
        await fails(client.transaction({ connectionId, watchId, commands: [done] }), Code.Aborted);
      }
      expect((await client.exists({ connectionId, keys: [b("done")] })).existing).toBe(0n);
    },
  ),
  rule(
    "a watch can be given up, belongs to its caller, and there are 16 of them",
    async ({ client, connectionId, stranger }) => {
      const { watchId } = await client.watch({ connectionId, keys: [key] });
      await fails(stranger.unwatch({ watchId }), Code.NotFound);
      await client.unwatch({ watchId });
      await fails(client.unwatch({ watchId }), Code.NotFound);
      await fails(client.watch({ connectionId }), Code.InvalidArgument);
      for (let i = 0; i < 16; i++) await client.watch({ connectionId, keys: [key] });
      await fails(client.watch({ connectionId, keys: [key] }), Code.ResourceExhausted);
    },
  ),
  rule("a watch of one connection is no good for another", async ({ client, connectionId }) => {
    const { watchId } = await client.watch({ connectionId, keys: [key] });
    const other = await client.open({});
    await fails(
      client.transaction({ connectionId: other.connectionId, watchId }),
      Code.InvalidArgument,
    );
    expect((await client.transaction({ connectionId, watchId })).results).toEqual([]);
  }),
];
