import { expect, test } from "vitest";
import { callerOf, defineBackend, LocalCaller, perCaller } from "../src/index.ts";
import { EchoService, inMemory } from "../src/testing.ts";

test("what a caller opened is its own, and dies with it", async () => {
  const closed: string[] = [];
  const open = perCaller((caller) => ({
    handles: 0,
    [Symbol.dispose]: () => void closed.push(caller.name),
  }));
  const backend = defineBackend({
    name: "test",
    service: EchoService,
    impl: {
      echo: (_, context) => ({
        payload: Buffer.from(`${callerOf(context).name}${++open.of(context).handles}`),
      }),
    },
  });
  await using memory = inMemory(backend);
  const ask = async (name: string): Promise<string> =>
    Buffer.from((await memory.client(name).echo({})).payload).toString();
  expect([await ask("a"), await ask("a"), await ask("b")]).toEqual(["a1", "a2", "b1"]);
  await memory.end("a");
  expect(closed).toEqual(["a"]);
  expect(await ask("a")).toBe("a1");
});

test("what a program opened is closed though some of it fails to, and the failures are told", async () => {
  const closed: number[] = [];
  const caller = new LocalCaller("p");
  const [first, second] = [new Error("first"), new Error("second")];
  caller.defer(() => void closed.push(1));
  caller.defer(async () => Promise.reject(second));
  caller.defer(() => void closed.push(2));
  caller.defer(() => {
    throw first;
  });
  await expect(caller[Symbol.asyncDispose]()).rejects.toMatchObject({ errors: [first, second] });
  expect(closed).toEqual([2, 1]);
});
