import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type Backend, type CallRecord, defineBackend } from "@dropthrough/dispatch";
import { ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import type { GuestExit } from "../src/index.ts";
import { CONTROL, ECHO, echoRequest, FACADE, renamed } from "./control.ts";
import {
  ALL,
  command,
  facade,
  facadeService,
  failure,
  passThrough,
  say,
  start,
} from "./deployment.ts";
import { GuestText } from "@dropthrough/guest-text";

/** Serves by calling itself, and passes the answer on. */
function circle(): Uint8Array<ArrayBuffer> {
  return facade(
    (g) => `
      (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
      (local.set $w (call $finish (call $call ${g.bind(`${FACADE}/Echo`)} (i32.const 4096) (local.get $len) (i32.const 8192) (i32.const 4096) (i32.const 0))))
      (local.set $len (call $read (i32.and (i32.xor (local.get $w) (i32.const -1)) (i32.const 0xffffff)) (i32.const 0) (i32.const 8192) (i32.const 4096)))
      (drop (call $reply (local.get $call) (call $code (local.get $w)) (i32.const 8192) (local.get $len)))`,
  );
}

describe("a guest that serves", () => {
  const call = (g: GuestText, request: Uint8Array, timeoutMs = 0): string => `
    ${say(g, `require ${FACADE}`)} (local.set $w ${g.call(`${FACADE}/Echo`, request, timeoutMs)})`;

  test("that answers at once gives its caller the answer without waiting", async () => {
    const client = command(
      (
        g,
      ) => `${call(g, echoRequest("hi"))} (if (i32.ne (local.get $w) (i32.const 4)) (then unreachable))
      ${call(g, echoRequest("hi"))} (if (i32.ne (local.get $w) (i32.const 4)) (then unreachable))`,
    );
    await using host = start([
      { name: "facade", module: facade(passThrough), exports: [FACADE] },
      { name: "client", module: client, main: true },
    ]);
    await host.start();
    expect((await host.exited).reason).toBe("");
  });

  test("may wait itself: its caller waits for it", async () => {
    const client = command(
      (g) =>
        `${call(g, echoRequest("hi", { delayMs: 5 }))} (if (i32.ne (call $ok (local.get $w)) (i32.const 4)) (then unreachable))`,
    );
    await using host = start([
      { name: "facade", module: facade(passThrough), exports: [FACADE] },
      { name: "client", module: client, main: true },
    ]);
    await host.start();
    expect((await host.exited).reason).toBe("");
  });

  test("is called by the program through Connect's client, and passes codes on", async () => {
    const records: string[] = [];
    const observers = [
      {
        ended: (record: CallRecord) =>
          void records.push(
            `${"  ".repeat(record.depth)}${record.caller.name} ${record.name} ${record.code}`,
          ),
      },
    ];
    await using host = start([{ name: "facade", module: facade(passThrough), exports: [FACADE] }], {
      observers,
    });
    await host.start();
    records.length = 0;
    const client = createClient(facadeService, host.transport);
    expect(
      Buffer.from((await client.echo({ payload: Buffer.from("hi") })).payload).toString(),
    ).toBe("hi");
    expect((await failure(client.echo({ code: 5 }))).code).toBe(Code.NotFound);
    expect(records).toEqual([
      `  facade ${ECHO} 0`,
      `host ${FACADE}/Echo 0`,
      `  facade ${ECHO} 5`,
      `host ${FACADE}/Echo 5`,
    ]);
  });

  test("that does not bind a method answers UNIMPLEMENTED for it", async () => {
    await using host = start([{ name: "facade", module: facade(passThrough), exports: [FACADE] }]);
    await host.start();
    expect((await failure(createClient(facadeService, host.transport).forward({}))).code).toBe(
      Code.Unimplemented,
    );
  });

  test("that returns without a reply is INTERNAL", async () => {
    await using host = start([{ name: "facade", module: facade(() => ""), exports: [FACADE] }]);
    await host.start();
    const error = await failure(createClient(facadeService, host.transport).echo({}));
    expect(error.message).toBe(`[internal] facade returned from ${FACADE}/Echo without a reply`);
  });

  test("that traps answers ABORTED, and the next call meets a new instance, until the budget is spent", async () => {
    const exits: GuestExit[] = [];
    await using host = start(
      [{ name: "facade", module: facade(() => "unreachable"), exports: [FACADE] }],
      {
        onExit: (exit) => exits.push(exit),
        limits: { restarts: 2 },
      },
    );
    await host.start();
    const client = createClient(facadeService, host.transport);
    const codes: Code[] = [];
    for (let i = 0; i < 4; i++) {
      codes.push((await failure(client.echo({}))).code);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(codes).toEqual([Code.Aborted, Code.Aborted, Code.Aborted, Code.Unimplemented]);
    expect(exits.map((e) => [e.instance, e.code])).toEqual([
      [1, 253],
      [2, 253],
      [3, 253],
    ]);
  });

  test("that traps again when the window of its budget has passed is started again", async () => {
    const clock = new ManualClock();
    const instances: number[] = [];
    await using host = start(
      [{ name: "facade", module: facade(() => "unreachable"), exports: [FACADE] }],
      {
        clock,
        onExit: ({ instance }) => instances.push(instance),
        limits: { restarts: 1, restartWindowMs: 1_000 },
      },
    );
    await host.start();
    const client = createClient(facadeService, host.transport);
    const codes: Code[] = [];
    for (const passedMs of [0, 1_001, 0, 0]) {
      clock.advance(passedMs);
      codes.push((await failure(client.echo({}))).code);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(codes).toEqual([Code.Aborted, Code.Aborted, Code.Aborted, Code.Unimplemented]);
    expect(instances).toEqual([1, 2, 3]);
  });

  test("that exits while it answers is UNAVAILABLE with its reason", async () => {
    await using host = start([
      { name: "facade", module: facade((g) => say(g, "exit 3")), exports: [FACADE] },
    ]);
    await host.start();
    const error = await failure(createClient(facadeService, host.transport).echo({}));
    expect(error.message).toBe("[unavailable] facade has exited: by request");
    expect(await host.exited).toMatchObject({ code: 3 });
  });

  test("that calls itself in a circle is told so, and nothing hangs", async () => {
    await using host = start([{ name: "facade", module: circle(), exports: [FACADE] }]);
    await host.start();
    const error = await failure(createClient(facadeService, host.transport).echo({}));
    expect(error.message).toBe(
      "[failed_precondition] facade would have to answer itself: host → facade → facade; give it more instances or break the circle",
    );
  });

  test("that calls itself on many instances is stopped at the depth limit", async () => {
    await using host = start(
      [{ name: "facade", module: circle(), exports: [FACADE], instances: 9 }],
      {
        limits: { depth: 4 },
      },
    );
    await host.start();
    const error = await failure(createClient(facadeService, host.transport).echo({}));
    expect(error.message).toBe(
      "[resource_exhausted] calls are nested more than 4 deep: host → facade → facade → facade → facade → facade → facade",
    );
  });

  test("takes one call at a time; the others wait in order, and more than the queue holds are refused", async () => {
    const log: string[] = [];
    const slow = facade((g) => `${say(g, "enter")} ${passThrough(g)} ${say(g, "leave")}`);
    await using host = start([{ name: "facade", module: slow, exports: [FACADE] }], {
      log,
      limits: { queue: 2 },
    });
    await host.start();
    const client = createClient(facadeService, host.transport);
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map(async () => client.echo({ payload: Buffer.from("x"), delayMs: 3 })),
    );
    expect(
      results.map((r) => (r.status === "fulfilled" ? 0 : ConnectError.from(r.reason).code)),
    ).toEqual([0, 0, 0, Code.ResourceExhausted]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual([
      "facade1 enter",
      "facade1 leave",
      "facade1 enter",
      "facade1 leave",
      "facade1 enter",
      "facade1 leave",
    ]);
  });

  test("takes as many calls at a time as it has instances", async () => {
    const log: string[] = [];
    const slow = facade((g) => `${say(g, "enter")} ${passThrough(g)} ${say(g, "leave")}`);
    await using host = start([{ name: "facade", module: slow, exports: [FACADE], instances: 2 }], {
      log,
    });
    await host.start();
    const client = createClient(facadeService, host.transport);
    await Promise.all([1, 2].map(async () => client.echo({ delayMs: 20 })));
    expect(log.slice(0, 2)).toEqual(["facade1 enter", "facade2 enter"]);
  });

  test("passes its caller's deadline on, and its own late reply is dropped", async () => {
    const signals: AbortSignal[] = [];
    const never: Backend = defineBackend({
      name: "never",
      service: renamed("test.v1.NeverService"),
      impl: { echo: (_, { signal }) => (signals.push(signal), new Promise(() => {})) },
    });
    const waits = facade(
      (g) => `(local.set $w (call $finish ${g.call("test.v1.NeverService/Echo", new Uint8Array())}))
      (if (i32.ne (call $reply (local.get $call) (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const -4)) (then unreachable))`,
    );
    const exits: GuestExit[] = [];
    await using host = start(
      [
        {
          name: "facade",
          module: waits,
          exports: [FACADE],
          grants: [...ALL, "test.v1.NeverService/*"],
        },
      ],
      { backends: [never], onExit: (e) => exits.push(e) },
    );
    await host.start();
    const error = await failure(
      createClient(facadeService, host.transport).echo({}, { timeoutMs: 20 }),
    );
    expect(error.code).toBe(Code.DeadlineExceeded);
    expect(signals[0]?.aborted).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(exits).toEqual([]);
    expect(
      (await failure(createClient(facadeService, host.transport).echo({}, { timeoutMs: 5 }))).code,
    ).toBe(Code.DeadlineExceeded);
  });

  test("may not export what the operator did not name, nor what another owns", async () => {
    const seen: number[] = [];
    const records = { ended: (r: CallRecord) => void (r.code !== 0 && seen.push(r.code)) };
    const greedy = (g: GuestText): string =>
      `(drop (call $finish ${g.call(CONTROL, echoRequest("export dropthrough.testing.v1.EchoService"))}))`;
    const g = new GuestText();
    const module = g.module(
      `(func (export "_initialize") ${greedy(g)}) (func (export "dropthrough_v1_serve") (param i32 i32 i32))`,
    );
    await using host = start(
      [
        { name: "a", module },
        { name: "b", module, exports: ["dropthrough.testing.v1.EchoService"] },
      ],
      { observers: [records] },
    );
    await host.start();
    expect(new Set(seen)).toEqual(new Set([Code.AlreadyExists, Code.PermissionDenied]));
  });
});

describe("a guest with an event loop", () => {
  test("has many calls in flight at once, and is told of each when it is done", async () => {
    const g = new GuestText();
    // Every request is passed on as it is; the incoming call's number is kept at 32768 + 4 * outgoing number.
    const module = g.module(`
      (func (export "_initialize") ${say(g, `export ${FACADE}`)} (drop ${g.bind(`${FACADE}/Echo`)}) ${say(g, "launch")})
      (func (export "dropthrough_v1_serve") (param $call i32) (param $method i32) (param $len i32) (local $w i32)
        (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
        (local.set $w (call $call ${g.bind(ECHO)} (i32.const 4096) (local.get $len) (i32.const 0) (i32.const 0) (i32.const 0)))
        (i32.store (i32.add (i32.const 32768) (i32.mul (i32.const 4) (i32.and (i32.xor (local.get $w) (i32.const -1)) (i32.const 0xffffff)))) (local.get $call)))
      (func (export "dropthrough_v1_done") (param $out i32) (param $word i32) (local $len i32)
        (local.set $len (call $read (local.get $out) (i32.const 0) (i32.const 8192) (i32.const 4096)))
        (drop (call $release (local.get $out)))
        (drop (call $reply (i32.load (i32.add (i32.const 32768) (i32.mul (i32.const 4) (local.get $out)))) (i32.const 0) (i32.const 8192) (local.get $len))))`);
    await using host = start([{ name: "loop", module, exports: [FACADE] }]);
    await host.start();
    const client = createClient(facadeService, host.transport);
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const { payload } = await client.echo({
          payload: Buffer.from(String(i)),
          delayMs: 1 + (i % 7),
        });
        return Buffer.from(payload).toString();
      }),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, (_, i) => String(i)));
  });
});
