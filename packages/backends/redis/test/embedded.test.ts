import { Code } from "@connectrpc/connect";
import { inMemory, ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { ListEnd, redis } from "../src/index.ts";
import { b, fails } from "./rules/rule.ts";

const key = b("k");
const MIB = 2 ** 20;

describe("the embedded engine", () => {
  test("expires keys by the clock that it is given", async () => {
    const clock = new ManualClock();
    await using backend = inMemory(redis({ clock }));
    const client = backend.client();
    const { connectionId } = await client.open({});
    const expiry = { case: "expireInMs", value: 1_000n } as const;
    await client.set({ connectionId, key, value: b("v"), expiry });
    clock.advance(999);
    expect((await client.timeToLive({ connectionId, key })).ttlMs).toBe(1n);
    clock.advance(1);
    expect((await client.exists({ connectionId, keys: [key] })).existing).toBe(0n);
  });

  test("answers in the same turn: no handler is a promise", () => {
    const impl = redis().impl;
    const values = new Map<unknown, unknown>();
    const caller = { name: "g", instance: 1, guest: undefined, defer: () => {} };
    const context = {
      signal: new AbortController().signal,
      values: { get: () => caller, set: () => values, delete: () => values },
    };
    const call = (name: keyof typeof impl, request: object): object =>
      (impl[name] as (r: object, c: object) => object)(request, context);
    const { connectionId } = call("open", { name: "", url: "" }) as { connectionId: string };
    expect(call("increment", { connectionId, key })).toEqual({ value: 1n });
    const increments = [{ member: key, by: 1 }];
    expect(call("sortedSetIncrement", { connectionId, key: b("z"), increments })).toEqual({
      scores: [1],
    });
    const commands = [{ command: { case: "get", value: { key } } }];
    expect(call("pipeline", { connectionId, commands })).toMatchObject({ results: [{}] });
    expect(call("transaction", { connectionId, commands, watchId: "" })).toMatchObject({
      results: [{}],
    });
  });

  test("keeps to its size: writes beyond it answer RESOURCE_EXHAUSTED, until something is deleted", async () => {
    await using backend = inMemory(redis({ embeddedBytes: 4 * MIB }));
    const client = backend.client();
    const { connectionId } = await client.open({});
    const value = new Uint8Array(MIB);
    const fill: ((i: number) => Promise<unknown>)[] = [
      (i) => client.set({ connectionId, key: b(`s${i}`), value }),
      () => client.append({ connectionId, key: b("s"), value }),
      (i) => client.hashSet({ connectionId, key: b("s"), fields: [{ field: b(`${i}`), value }] }),
      () => client.listPush({ connectionId, key: b("s"), values: [value], end: ListEnd.LEFT }),
      (i) =>
        client.setAdd({ connectionId, key: b("s"), members: [Uint8Array.from([i, ...value])] }),
      (i) =>
        client.sortedSetAdd({
          connectionId,
          key: b("s"),
          members: [{ member: Uint8Array.from([i, ...value]), score: i }],
        }),
    ];
    for (const write of fill) {
      for (let i = 0; i < 4; i++) await write(i);
      await fails(write(4), Code.ResourceExhausted);
      expect((await client.get({ connectionId, key: b("none") })).value).toBeUndefined();
      await client.delete({ connectionId, keys: ["s", "s0", "s1", "s2", "s3"].map((k) => b(k)) });
      await write(0);
      await client.delete({ connectionId, keys: [b("s"), b("s0")] });
    }
  });

  test("counts what is there, not what was written over it or taken away", async () => {
    await using backend = inMemory(redis({ embeddedBytes: 4 * MIB }));
    const client = backend.client();
    const { connectionId } = await client.open({});
    const value = new Uint8Array(MIB / 8);
    for (let i = 0; i < 100; i++) {
      await client.set({ connectionId, key, value });
      await client.hashSet({ connectionId, key: b("h"), fields: [{ field: b("f"), value }] });
      await client.listPush({ connectionId, key: b("l"), values: [value], end: ListEnd.LEFT });
      await client.listPush({ connectionId, key: b("l"), values: [value], end: ListEnd.LEFT });
      await client.listPop({ connectionId, key: b("l"), end: ListEnd.LEFT, count: 2 });
      await client.listPush({ connectionId, key: b("l"), values: [b("x")], end: ListEnd.LEFT });
      await client.sortedSetIncrement({
        connectionId,
        key: b("z"),
        increments: [{ member: value, by: 1 }],
      });
    }
    expect((await client.listLength({ connectionId, key: b("l") })).length).toBe(100n);
  });
});
