import { Code } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { defineBackend, LocalCaller, perCaller } from "../src/index.ts";
import { EchoService, inMemory } from "../src/testing.ts";
import { failure } from "./session-over.ts";

const good = { name: "test", service: EchoService, impl: {} };
class Misspelt {
  echo(): object {
    return {};
  }
  forwrad(): object {
    return {};
  }
}

describe("defineBackend refuses", () => {
  test.each<[string, object, string]>([
    ["no name", { name: "" }, '"name" of a backend must be a text, such as "redis"'],
    [
      "no service",
      { service: undefined },
      '"service" of the backend "test" must be a generated descriptor, such as FileService',
    ],
    [
      "a message",
      { service: EchoService.method.echo.input },
      '"service" of the backend "test" must be a generated descriptor',
    ],
    [
      "a service of protobuf-es 1",
      { service: { typeName: "a.B", methods: {} } },
      '"service" of the backend "test" must be a generated descriptor',
    ],
    [
      "no implementation",
      { impl: undefined },
      '"impl" of the backend "test" must be an object with a function for each rpc',
    ],
    [
      "a class for an implementation",
      { impl: Misspelt },
      '"impl" of the backend "test" must be an object with a function for each rpc',
    ],
    [
      "a method that is none",
      { impl: { echo: "hi" } },
      '"impl.echo" of the backend "test" must be a function',
    ],
    [
      "a detached method that is none",
      { detached: ["Echo"] },
      '"detached" of the backend "test" names "Echo", and dropthrough.testing.v1.EchoService has echo, forward',
    ],
    [
      "a limit of a method that is none",
      { maxFieldsOf: { ecoh: 5 } },
      '"maxFieldsOf" of the backend "test" names "ecoh", and dropthrough.testing.v1.EchoService has echo, forward',
    ],
    [
      "a limit that is none",
      { maxFields: Number.NaN },
      '"maxFields" of the backend "test" must be a whole number, 0 or more',
    ],
    [
      "a limit of a method that is no number",
      { maxFieldsOf: { echo: -1 } },
      '"maxFieldsOf.echo" of the backend "test" must be a whole number, 0 or more',
    ],
    [
      "a health that is no function",
      { health: { ok: true } },
      '"health" of the backend "test" must be a function',
    ],
    [
      "a disposal that is no function",
      { [Symbol.asyncDispose]: true },
      '"Symbol.asyncDispose" of the backend "test" must be a function',
    ],
  ])("%s", (_, wrong, message) => {
    expect(() => defineBackend({ ...good, ...wrong })).toThrow(TypeError);
    expect(() => defineBackend({ ...good, ...wrong })).toThrow(message);
  });
});

test("a method under another name is left out, and the caller is told which name it has", async () => {
  await using backend = inMemory(defineBackend({ ...good, impl: new Misspelt() }));
  const { code, rawMessage } = await failure(backend.client().forward({}));
  expect(code).toBe(Code.Unimplemented);
  expect(rawMessage).toBe(
    'the backend "test" does not implement Forward: it has "forwrad", but no "forward"',
  );
});

describe("perCaller", () => {
  test("is ABORTED for a call whose caller has ended meanwhile: what it opened is closed", async () => {
    let made = 0;
    let closed = 0;
    const opened = perCaller(() => (made++, { [Symbol.dispose]: () => void closed++ }));
    let goOn = (): void => {};
    const until = new Promise<void>((resolve) => (goOn = resolve));
    await using backend = inMemory(
      defineBackend({
        ...good,
        impl: {
          async echo(_, context) {
            await until;
            opened.of(context);
            return {};
          },
          forward: (_, context) => (opened.of(context), {}),
        },
      }),
    );
    const client = backend.client();
    const early = failure(backend.client("early").echo({}));
    await client.forward({});
    const late = failure(client.echo({}));
    await backend.end();
    await backend.end("early");
    goOn();
    for (const ended of [late, early]) expect((await ended).code).toBe(Code.Aborted);
    expect((await late).rawMessage).toBe("test has ended");
    expect([made, closed]).toEqual([2, 2]);
  });

  test("refuses a promise, which nobody would dispose", async () => {
    const opened = perCaller(async () => Promise.resolve({}));
    const incidents: unknown[] = [];
    await using backend = inMemory(
      defineBackend({
        ...good,
        impl: { echo: async (_, context) => (await opened.of(context), {}) },
      }),
      { onIncident: ({ error }) => incidents.push(error) },
    );
    expect((await failure(backend.client().echo({}))).code).toBe(Code.Internal);
    expect(incidents).toMatchObject([
      {
        message:
          "perCaller was given a promise, which it cannot dispose: make an object that holds the promise",
      },
    ]);
  });
});

test.each<[string, () => void | Promise<void>]>([
  ["fails to", async (): Promise<void> => Promise.reject(new Error("of a close"))],
  [
    "throws",
    (): void => {
      throw new Error("of a close");
    },
  ],
])(
  "what a caller defers after its end is closed at once; that it %s is told, and ends nothing",
  async (_, close) => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    const caller = new LocalCaller("p");
    void caller[Symbol.asyncDispose]();
    let closed = false;
    caller.defer(() => ((closed = true), close()));
    expect(closed).toBe(true);
    await expect.poll(() => told).toHaveBeenCalledTimes(1);
    expect(told).toHaveBeenCalledWith("what p opened after its end:", new Error("of a close"));
    told.mockRestore();
  },
);
