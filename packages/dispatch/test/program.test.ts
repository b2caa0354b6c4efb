import { Code, createClient, createContextValues } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  callerKey,
  createRegistry,
  defineBackend,
  createTransport,
  Grants,
  LocalCaller,
} from "../src/index.ts";
import { echo, EchoService, inMemory, ManualClock } from "../src/testing.ts";
import { ECHO, failure } from "./session-over.ts";

test("a program with grants reaches what they name, and nothing else", async () => {
  const registry = createRegistry();
  registry.use(echo());
  const refusals: string[] = [];
  using _ = registry.observe({
    refused: (caller, name, { code }) => refusals.push(`${caller.name} ${name} ${code}`),
  });
  const session = registry.connect(new LocalCaller("web"), new Grants([ECHO]));
  const client = createClient(EchoService, createTransport(session));
  expect((await client.echo({ payload: Uint8Array.of(1) })).payload).toHaveLength(1);
  const refused = await failure(client.forward({}));
  expect(refused.code).toBe(Code.PermissionDenied);
  const forward = "dropthrough.testing.v1.EchoService/Forward";
  expect(refused.rawMessage).toBe(`web was not granted ${forward}: add it to the grants of web`);
  expect(refusals).toEqual([`web ${forward} ${Code.PermissionDenied}`]);
});

test("a program that has left before its call is told CANCELLED, and its handler does not run", async () => {
  let ran = false;
  const registry = createRegistry();
  registry.use(
    defineBackend({ name: "echo", service: EchoService, impl: { echo: () => ((ran = true), {}) } }),
  );
  const session = registry.connect(new LocalCaller("p"));
  const call = session.unary(EchoService.method.echo, {}, { signal: AbortSignal.abort() });
  await expect(call).rejects.toMatchObject({ name: "ConnectError", code: Code.Canceled });
  expect(ran).toBe(false);
});

test.each([Number.NaN, -1, 0])("a timeout of %d ms is the default one", async (timeoutMs) => {
  const clock = new ManualClock();
  const registry = createRegistry({ clock });
  registry.use(
    defineBackend({
      name: "echo",
      service: EchoService,
      impl: { echo: async () => new Promise<never>(() => {}) },
    }),
  );
  const session = registry.connect(new LocalCaller("p"));
  const call = failure(session.unary(EchoService.method.echo, {}, { timeoutMs }));
  await Promise.resolve();
  clock.advance(30_000);
  expect(clock.pending).toBe(0);
  expect((await call).code).toBe(Code.DeadlineExceeded);
});

test("values that several callers send along tell each call its own caller", async () => {
  const callers: unknown[] = [];
  const registry = createRegistry({
    interceptors: [
      (next) => async (request) => {
        await Promise.resolve();
        callers.push(request.contextValues.get(callerKey)?.name);
        return next(request);
      },
    ],
  });
  registry.use(echo());
  const key = { id: Symbol("key"), defaultValue: "" };
  const values = createContextValues().set(key, "kept");
  await Promise.all(
    ["a", "b"].map(async (name) =>
      registry.connect(new LocalCaller(name)).unary(EchoService.method.echo, {}, { values }),
    ),
  );
  expect(callers).toEqual(["a", "b"]);
  expect(values.get(callerKey)).toBeUndefined();
});

describe("a program", () => {
  test("calls a backend with Connect's own client", async () => {
    await using backend = inMemory(echo());
    const { payload } = await backend.client().echo({ payload: Buffer.from("hi") });
    expect(Buffer.from(payload).toString()).toBe("hi");
    expect((await failure(backend.client().echo({ code: 8, message: "full" }))).code).toBe(
      Code.ResourceExhausted,
    );
  });

  test("is told UNIMPLEMENTED where nobody serves, and can give up", async () => {
    const registry = createRegistry();
    const client = createClient(
      EchoService,
      createTransport(registry.connect(new LocalCaller("p"))),
    );
    expect((await failure(client.echo({}))).code).toBe(Code.Unimplemented);
    registry.use(echo());
    const controller = new AbortController();
    const call = client.echo({ delayMs: 60_000 }, { signal: controller.signal });
    controller.abort();
    expect((await failure(call)).code).toBe(Code.Canceled);
    expect((await failure(client.echo({ delayMs: 60_000 }, { timeoutMs: 5 }))).code).toBe(
      Code.DeadlineExceeded,
    );
  });
});
