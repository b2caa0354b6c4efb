import type { ConnectError } from "@connectrpc/connect";
import { echo } from "@dropthrough/dispatch/testing";
import { describe, expect, test, vi } from "vitest";
import {
  createHost,
  type GuestConfig,
  GuestError,
  type GuestExit,
  type HostOptions,
} from "../src/index.ts";
import { ECHO, echoRequest } from "./control.ts";
import { command, say, start } from "./deployment.ts";
import { GuestText } from "@dropthrough/guest-text";

/** Runs hosts with one command guest, and answers how it ended. */
async function exitOf(
  module: Uint8Array<ArrayBuffer>,
  options: HostOptions & { log?: string[] } = {},
  config: Partial<GuestConfig> = {},
): Promise<GuestExit> {
  await using host = start([{ name: "main", ...config, module }], options);
  await host.start();
  return await host.exited;
}

describe("a command guest", () => {
  test("calls a synchronous backend, and ends with 0 when its _start returns", async () => {
    const log: string[] = [];
    expect(
      await exitOf(
        command((g) => `(drop (call $ok ${g.call(ECHO, echoRequest("hi"))})) ${say(g, "done")}`),
        { log },
      ),
    ).toEqual({ guest: "main", instance: 1, code: 0, reason: "" });
    expect(log).toEqual(["main1 done"]);
  });

  test("waits for an asynchronous backend", async () => {
    const log: string[] = [];
    const later = command(
      (g) =>
        `(drop (call $ok ${g.call(ECHO, echoRequest("hi", { delayMs: 5 }))})) ${say(g, "done")}`,
    );
    expect((await exitOf(later, { log })).code).toBe(0);
    expect(log).toEqual(["main1 done"]);
  });

  test("may use its request's memory again as soon as call returns, though the call is pending", async () => {
    const g = new GuestText();
    // The request is copied to 4096, called from there, and overwritten before the guest waits.
    const request = echoRequest("original", { delayMs: 5 });
    const module = g.module(`(func (export "_start") (local $w i32)
      (memory.copy (i32.const 4096) ${g.data(request)})
      (local.set $w (call $call ${g.bind(ECHO)} (i32.const 4096) (i32.const ${request.length}) (i32.const 8192) (i32.const 4096) (i32.const 0)))
      (memory.fill (i32.const 4096) (i32.const 120) (i32.const ${request.length}))
      (drop (memory.grow (i32.const 1)))
      (if (i32.ne (call $ok (local.get $w)) (i32.const 10)) (then unreachable))
      ;; 0a 08 "original"
      (if (i64.ne (i64.load (i32.const 8194)) (i64.const 0x6c616e696769726f)) (then unreachable)))`);
    expect(await exitOf(module)).toMatchObject({ code: 0, reason: "" });
  });

  test("ends with the code that it asks for, clamped to 0-192, and runs no further", async () => {
    for (const [asked, code] of [
      ["7", 7],
      ["-3", 0],
      ["900", 192],
      ["x", 0],
    ]) {
      const log: string[] = [];
      const exit = await exitOf(
        command((g) => say(g, `exit ${asked}`) + say(g, "unreachable")),
        { log },
      );
      expect(exit).toMatchObject({ code, reason: "by request" });
      expect(log).toEqual([]);
    }
  });

  test("that traps ends with 253 and the engine's words", async () => {
    expect(await exitOf(command(() => "unreachable"))).toMatchObject({
      code: 253,
      reason: "unreachable",
    });
  });

  test("that aborts ends with 254 and its own words", async () => {
    const g = new GuestText();
    const words = g.data("boom at main.ts:3:1");
    const [, ptr = "", len = ""] = /const (\d+)\) \(i32.const (\d+)/.exec(words) ?? [];
    const module = g.module(`
      (global (export "dropthrough_v1_abort_ptr") (mut i32) (i32.const ${ptr}))
      (global $len (export "dropthrough_v1_abort_len") (mut i32) (i32.const 0))
      (func (export "_start") (global.set $len (i32.const ${len})) unreachable)`);
    expect(await exitOf(module)).toMatchObject({ code: 254, reason: "boom at main.ts:3:1" });
  });

  test("whose last words stand in globals that JavaScript cannot look at ends all the same", async () => {
    const g = new GuestText();
    const module = g.module(`
      (global (export "dropthrough_v1_abort_ptr") v128 (v128.const i32x4 16 0 0 0))
      (global (export "dropthrough_v1_abort_len") i64 (i64.const 5))
      (func (export "_start") unreachable)`);
    expect(await exitOf(module)).toMatchObject({ code: 253, reason: "unreachable" });
  });

  test("forges no line with its last words, where nobody is told of its end", async () => {
    using lines = vi.spyOn(console, "error").mockImplementation(() => {});
    const g = new GuestText();
    g.data("no\u001b[2J\nguest b ended");
    const module = g.module(`
      (global (export "dropthrough_v1_abort_ptr") i32 (i32.const 16))
      (global (export "dropthrough_v1_abort_len") i32 (i32.const 20))
      (func (export "_start") unreachable)`);
    await using host = createHost({ guests: [{ name: "a", module }] });
    await host.start();
    await host.exited;
    expect(lines).toHaveBeenCalledExactlyOnceWith(
      "guest a (instance 1) ended with 254: no\\u001b[2J\\nguest b ended",
    );
  });

  test("without an entry ends with 251", async () => {
    expect(await exitOf(new GuestText().module(""))).toMatchObject({ code: 251 });
  });

  test("cannot grow its memory above its limit", async () => {
    const grow = command(
      (g) => `
      (if (i32.ne (memory.grow (i32.const 9)) (i32.const 1)) (then unreachable))
      (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) ${say(g, "capped")}`,
    );
    expect((await exitOf(grow, { limits: { memoryPages: 10 } })).code).toBe(0);
  });

  test("cannot grow its tables above their limit", async () => {
    const g = new GuestText();
    const grow = g.module(`(table $t 1 funcref) (func (export "_start")
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 9)) (i32.const 1)) (then unreachable))
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1)) (then unreachable)))`);
    expect(await exitOf(grow, { limits: { tableEntries: 10 } })).toMatchObject({ code: 0 });
  });

  test("has the default of a limit that is set to undefined, and not none", async () => {
    const long = command(
      (g) =>
        `(if (i32.ne (call $bind ${g.data(`x.S/${"m".repeat(300)}`)}) (i32.const -3)) (then unreachable))`,
    );
    // As a program without types may give it.
    const limits = { nameBytes: undefined } as object;
    expect(await exitOf(long, { limits })).toMatchObject({ code: 0 });
    expect(await exitOf(long, {}, { limits })).toMatchObject({ code: 0 });
  });

  test("that calls before it has a memory is told FAILED_PRECONDITION", async () => {
    const g = new GuestText();
    const early = g.module(`
      (global $n (mut i32) (i32.const 0)) (start $early)
      (func $early (global.set $n (call $bind (i32.const 0) (i32.const 0))))
      (func (export "_start") (if (i32.ne (global.get $n) (i32.const -9)) (then unreachable)))`);
    expect((await exitOf(early)).code).toBe(0);
  });

  test("has only what it was granted", async () => {
    const refusals: string[] = [];
    const module = command(
      (g) => `(if (i32.ne (call $bind ${g.data(ECHO)}) (i32.const -7)) (then unreachable))`,
    );
    const observers = [
      {
        refused: (_: unknown, name: string, error: ConnectError) =>
          void refusals.push(`${name}: ${error.rawMessage}`),
      },
    ];
    expect((await exitOf(module, { observers }, { grants: [] })).code).toBe(0);
    expect(refusals).toEqual([
      `${ECHO}: main was not granted ${ECHO}: add it to the grants of main`,
    ]);
  });

  test("takes all that it opened with it, however it ends", async () => {
    for (const end of ["", "unreachable"]) {
      const log: string[] = [];
      await exitOf(
        command((g) => say(g, "open") + end),
        { log },
      );
      expect(log).toEqual(["main closed"]);
    }
  });
});

describe("a guest that cannot be loaded", () => {
  test.each([
    ["a path that does not exist", "./nowhere.wasm", "its module cannot be read"],
    ["bytes that are no WebAssembly", new Uint8Array(8), "this is no WebAssembly module"],
    [
      "a body that the engine refuses",
      Uint8Array.from([
        ...new GuestText().module("").slice(0, -3),
        0x0a,
        0x04,
        0x01,
        0x02,
        0x00,
        0x0b,
      ]),
      'guest "bad": ',
    ],
  ])("%s: the error names the guest", async (_, module, message) => {
    await using host = createHost({ guests: [{ name: "bad", module }] });
    const error: unknown = await host.start().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(GuestError);
    expect((error as GuestError).message).toContain('guest "bad": ');
    expect((error as GuestError).message).toContain(message);
  });

  test("two guests of one name, and malformed grants, are refused before anything runs", () => {
    const module = new Uint8Array();
    expect(() =>
      createHost({
        guests: [
          { name: "a", module },
          { name: "a", module },
        ],
      }),
    ).toThrow('two guests are named "a"');
    expect(() => createHost({ guests: [{ name: "a", module, grants: ["*"] }] })).toThrow(
      'guest "a": "*" is no grant',
    );
  });
});

describe("a host that cannot be", () => {
  const guest = { name: "a", module: new Uint8Array() };
  const clock = { now: () => 0, after: () => () => {} };
  test.each<[unknown, string]>([
    [{ interceptors: "none" }, '"interceptors" must be a list'],
    [{ interceptors: [undefined] }, '"interceptors[0]" must be a function'],
    [{ observers: [{}] }, '"observers[0]" must be an object with some of started, ended, refused'],
    [{ observers: [null] }, '"observers[0]" must be an object'],
    [{ observers: [{ started: 1 }] }, '"observers[0].started" must be a function'],
    [{ codec: null }, '"codec" must be an object'],
    [{ codec: { compile: 1 } }, '"codec.compile" must be true or false'],
    [{ clock: null }, '"clock" must be an object'],
    [{ clock: { now: Date.now } }, '"clock.after" must be a function'],
    [{ clock: { ...clock, wall: 5 } }, '"clock.wall" must be a function'],
    [{ clock: { ...clock, soon: () => {} } }, '"clock.settled" must be a function'],
    [{ limits: { calls: Number.NaN } }, '"limits.calls" must be a whole number, 0 or more'],
    [{ limits: { memoryPages: Infinity } }, '"limits.memoryPages" must be a whole number'],
    [{ limits: { queue: "9" } }, '"limits.queue" must be a whole number'],
    [{ limits: { memorypages: 9 } }, '"limits.memorypages" is unknown; there is requestBytes,'],
    [
      { guests: [{ ...guest, limits: { queue: -1 } }] },
      'guest "a": "limits.queue" must be a whole number',
    ],
    [
      { guests: [{ ...guest, limits: { depth: 3 } }] },
      'guest "a": "limits.depth" holds for all guests: set it in the host\'s limits',
    ],
    [{ guests: [{ ...guest, instances: 0 }] }, 'guest "a": "instances" must be a whole number'],
    [{ guests: [{ ...guest, instances: "2" }] }, 'guest "a": "instances" must be a whole number'],
    [
      {
        guests: [
          { ...guest, instances: 16_000 },
          { ...guest, name: "b" },
        ],
      },
      "the guests have 16001 instances together, and a process holds 16000",
    ],
  ])("%j is refused when it is made: %s", (options, message) => {
    expect(() => createHost(options as HostOptions)).toThrow(message);
  });

  test("leaves its backends to the caller, as they were, if it is not made", async () => {
    const closed: string[] = [];
    const backend = {
      ...echo(),
      attach: () => void closed.push("attached"),
      [Symbol.asyncDispose]: async () => void closed.push("closed"),
    };
    expect(() => createHost({ backends: [backend, echo()] })).toThrow("has two owners");
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toEqual([]);
    await using host = createHost({ backends: [backend] });
    await host.start();
    expect(closed).toEqual(["attached"]);
  });
});

test("disposing a host ends guests that wait, and closes what they opened", async () => {
  const log: string[] = [];
  const waits = command(
    (g) =>
      `${say(g, "open")} (drop (call $finish ${g.call(ECHO, echoRequest("", { delayMs: 60_000 }))})) ${say(g, "resumed")}`,
  );
  const host = start([{ name: "main", module: waits }], { log });
  void host.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await host[Symbol.asyncDispose]();
  expect(log).toEqual(["main closed"]);
});
