import { ManualClock } from "@dropthrough/dispatch/testing";
import { GuestError } from "@dropthrough/host";
import { KernelService } from "@dropthrough/kernel";
import { describe, expect, test } from "vitest";
import { ECHO_BACK, KernelGuest, payload, REPLY_WORD } from "./kernel-guest.ts";
import { ask, ECHO, failure, KernelHost, NOTE, settled } from "./kernel-host.ts";

const KERNEL = KernelService.typeName;

/** A reactor that exports a service, and serves by passing requests on to another one. */
function facade(service: string, target = ECHO, requires: string[] = []): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  return g.guest({
    initialize: g.launch({ exports: [service], requires }),
    serve: passOn(g, target),
  });
}

const passOn = (g: KernelGuest, target: string): string => `
  (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
  (local.set $w (call $finish (call $start (call $bound ${g.data(target)}) (i32.const 4096) (local.get $len) (i32.const 0))))
  ${REPLY_WORD}`;

/** A reactor that asks for a call before its end, in which it does `last`. */
function withHook(last: (g: KernelGuest) => string): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  // The method number that AtExit answers is 0 bytes if it is 0, else 08 and the number.
  return g.guest({
    initialize: `${g.launch({ exports: ["x.a"] })} ${g.kernel(KernelService.method.atExit)}
      (i32.store (i32.const 57344) (i32.load8_u (i32.const 8193)))`,
    serve: `(if (i32.eq (local.get $method) (i32.load (i32.const 57344)))
      (then ${last(g)})
      (else ${passOn(g, ECHO)}))`,
  });
}

describe("host.exit", () => {
  test("lets a call in flight end, refuses new and queued ones with the reason, then ends the guest with the code", async () => {
    const clock = new ManualClock();
    await using it = new KernelHost([{ name: "a", module: facade("x.a"), exports: ["x.a"] }], {
      clock,
    });
    await it.host.start();
    const client = it.client("x.a");
    const begun = ask(client, "begun", { delayMs: 100 });
    const queued = failure(ask(client, "queued"));
    await settled();
    const exits = it.host.exit("a", { code: 3, reason: "a new version" });
    expect(await queued).toBe("[unavailable] a is exiting: a new version");
    expect(await failure(ask(client, "new"))).toBe("[unavailable] a is exiting: a new version");
    expect(it.exits).toEqual([]);
    clock.advance(100);
    expect(await begun).toBe("begun");
    const end = { guest: "a", instance: 1, code: 3, reason: "a new version" };
    expect(await exits).toEqual([end]);
    expect(it.exits).toEqual([end]);
    expect(clock.pending).toBe(0);
  });

  test("answers what is left after the grace period ABORTED, once, and cancels what it was doing", async () => {
    const clock = new ManualClock();
    const ended: string[] = [];
    await using it = new KernelHost([{ name: "a", module: facade("x.a"), exports: ["x.a"] }], {
      clock,
      observers: [{ ended: ({ name, code }) => void ended.push(`${name} ${code}`) }],
    });
    await it.host.start();
    ended.length = 0;
    const late = failure(ask(it.client("x.a"), "", { delayMs: 20_000 }));
    await settled();
    const exits = it.host.exit("a", { graceMs: 50 });
    clock.advance(49);
    await settled();
    expect(ended).toEqual([]);
    clock.advance(1);
    expect(await late).toBe(
      "[aborted] a did not answer before it was ended: the operator ended it",
    );
    expect(await exits).toMatchObject([{ code: 0 }]);
    expect(ended).toEqual([`${ECHO} 1`, "x.a/Echo 10"]);
  });

  test("gives limits.exitGraceMs where nothing is said, and ends an idle guest at once", async () => {
    const clock = new ManualClock();
    const module = facade("x.a");
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"], instances: 2 }], {
      clock,
      limits: { exitGraceMs: 700 },
    });
    await it.host.start();
    const late = failure(ask(it.client("x.a"), "", { delayMs: 20_000 }));
    await settled();
    void it.host.exit("a", { code: 900 });
    await settled();
    expect(it.exits).toMatchObject([{ instance: 2, code: 192 }]);
    clock.advance(699);
    await settled();
    expect(it.exits).toHaveLength(1);
    clock.advance(1);
    expect(await late).toMatch(/^\[aborted\]/);
    await settled();
    expect(it.exits).toMatchObject([{ code: 192 }, { instance: 1, code: 192 }]);
  });

  test("of a guest that there is not says so; a second one changes nothing", async () => {
    const clock = new ManualClock();
    await using it = new KernelHost([{ name: "a", module: facade("x.a"), exports: ["x.a"] }], {
      clock,
    });
    await it.host.start();
    await expect(it.host.exit("b")).rejects.toThrow(GuestError);
    const call = ask(it.client("x.a"), "", { delayMs: 10 });
    await settled();
    const exits = [it.host.exit("a", { code: 1 }), it.host.exit("a", { code: 2, graceMs: 0 })];
    clock.advance(10);
    await call;
    expect(await Promise.all(exits)).toMatchObject([[{ code: 1 }], [{ code: 1 }]]);
    expect(await it.host.exit("a")).toEqual([]);
  });

  test("does not start a guest again that crashes meanwhile", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      initialize: g.launch({ exports: ["x.a"] }),
      serve: `${g.must(ECHO, payload("", 10))} unreachable`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    const call = failure(ask(it.client("x.a"), ""));
    await settled();
    const exits = it.host.exit("a");
    clock.advance(10);
    expect(await call).toBe("[aborted] a crashed while it answered");
    expect(await exits).toMatchObject([{ code: 253 }]);
    await settled();
    expect(it.exits).toHaveLength(1);
  });

  test("lets a command end when the call that it waits for is done, and not before", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.must(ECHO, payload("", 100))} ${g.must(NOTE, payload("went on"))}`,
    });
    const ended: string[] = [];
    await using it = new KernelHost([{ name: "a", module }], {
      clock,
      observers: [{ ended: ({ name, code }) => void ended.push(`${name} ${code}`) }],
    });
    await it.host.start();
    const exits = it.host.exit("a", { code: 4 });
    await settled();
    expect(it.exits).toEqual([]);
    clock.advance(100);
    expect(await exits).toMatchObject([{ code: 4 }]);
    expect(ended).toEqual([`${ECHO} 0`]);
    expect(it.notes).toEqual([]);
  });
});

describe("a guest that receives", () => {
  /** Holds every call that comes in; at the exit request it notes that, answers the last, and exits with 7. */
  const receiver = (atExit: (g: KernelGuest) => string): Uint8Array<ArrayBuffer> => {
    const g = new KernelGuest();
    return g.guest({
      start: `${g.launch({ exports: ["x.a"] })} ${g.loop({
        incoming:
          "(i32.store (i32.const 57344) (local.get $call)) (i32.store (i32.const 57348) (local.get $len))",
        exit: atExit(g),
      })}`,
    });
  };

  test("is told to exit, answers what it holds, and ends with its own code: the ancestor's loop ignored the request", async () => {
    const clock = new ManualClock();
    const module = receiver(
      (g) => `
        (if (i32.ne (call $field (i32.const 1)) (i32.const 5)) (then unreachable))
        (if (i32.ne (call $field (i32.const 3)) (i32.const 400)) (then unreachable))
        (local.set $call (i32.load (i32.const 57344))) (local.set $len (i32.load (i32.const 57348)))
        ${ECHO_BACK} ${g.exit(7, "done")}`,
    );
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    const held = ask(it.client("x.a"), "held");
    await settled();
    const exits = it.host.exit("a", { code: 5, graceMs: 400 });
    expect(await failure(ask(it.client("x.a"), ""))).toBe(
      "[unavailable] a is exiting: the operator ended it",
    );
    expect(await held).toBe("held");
    expect(await exits).toEqual([{ guest: "a", instance: 1, code: 7, reason: "done" }]);
    expect(clock.pending).toBe(0);
  });

  test("and does not exit is ended after its grace period, told once; what it holds is ABORTED", async () => {
    const clock = new ManualClock();
    const module = receiver((g) => g.must(NOTE, payload("told")));
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    const held = failure(ask(it.client("x.a"), "held"));
    await settled();
    const exits = it.host.exit("a", { code: 5, graceMs: 400 });
    clock.advance(399);
    await settled();
    expect([it.notes, it.exits]).toEqual([["a: told"], []]);
    clock.advance(1);
    expect(await held).toMatch(/^\[aborted\] a did not answer before it was ended/);
    expect(await exits).toMatchObject([{ code: 5 }]);
    expect(it.notes).toEqual(["a: told"]);
  });
});

describe("AtExit", () => {
  test("calls a guest once before its end, after its calls: the ancestor's handlers had no caller", async () => {
    const clock = new ManualClock();
    // An ExitCall: 08 05, 12 03 "why", 18 e8 07 (1,000 ms).
    const module = withHook(
      (g) => `
        (if (i32.ne (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)) (i32.const 10)) (then unreachable))
        (if (i32.ne (i32.load (i32.const 4096)) (i32.const 0x03120508)) (then unreachable))
        (if (i32.ne (i32.load (i32.const 4100)) (i32.const 0x18796877)) (then unreachable))
        ${g.must(NOTE, payload("begins"))} ${g.must(ECHO, payload("", 100))} ${g.must(NOTE, payload("ends"))}
        (drop (call $reply (local.get $call) (i32.const 0) (i32.const 0) (i32.const 0)))`,
    );
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    const call = ask(it.client("x.a"), "in flight", { delayMs: 30 });
    await settled();
    const exits = it.host.exit("a", { code: 5, reason: "why" });
    await settled();
    expect(it.notes).toEqual([]);
    clock.advance(30);
    expect(await call).toBe("in flight");
    await settled();
    expect(it.notes).toEqual(["a: begins"]);
    clock.advance(100);
    expect(await exits).toMatchObject([{ code: 5, reason: "why" }]);
    expect(it.notes).toEqual(["a: begins", "a: ends"]);
    expect(clock.pending).toBe(0);
  });

  test("is bounded: a clean-up that does not end is ended after limits.exitHooksMs", async () => {
    const clock = new ManualClock();
    const module = withHook(
      (g) =>
        `${g.must(NOTE, payload("begins"))} ${g.must(ECHO, payload("", 60_000))} ${g.must(NOTE, payload("ends"))}`,
    );
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], {
      clock,
      limits: { exitHooksMs: 80 },
    });
    await it.host.start();
    const exits = it.host.exit("a");
    await settled();
    clock.advance(79);
    await settled();
    expect([it.notes, it.exits]).toEqual([["a: begins"], []]);
    clock.advance(1);
    expect(await exits).toMatchObject([{ code: 0 }]);
    expect(it.notes).toEqual(["a: begins"]);
  });

  test("may exit with another code, and may trap", async () => {
    for (const [how, code] of [
      ["exit", 9],
      ["trap", 253],
    ] as const) {
      const module = withHook((g) => (how === "exit" ? g.exit(9) : "unreachable"));
      await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }]);
      await it.host.start();
      expect(await it.host.exit("a")).toMatchObject([{ code }]);
    }
  });

  test("of a module that cannot be called is FAILED_PRECONDITION, of one that has bound too much RESOURCE_EXHAUSTED", async () => {
    const [mute, full] = [new KernelGuest(), new KernelGuest()];
    const refused = (g: KernelGuest, code: number): string =>
      `(if (i32.ne (call $code ${g.call(`${KERNEL}/AtExit`)}) (i32.const ${code})) (then unreachable))`;
    await using it = new KernelHost([
      { name: "mute", module: mute.guest({ start: refused(mute, 9) }) },
      {
        name: "full",
        limits: { bindings: 2 },
        module: full.guest({
          start: `(drop (call $bound ${full.data(ECHO)})) ${refused(full, 8)}`,
          serve: "nop",
        }),
      },
    ]);
    await it.host.start();
    expect(it.exits.map(({ code, reason }) => [code, reason])).toEqual([
      [0, ""],
      [0, ""],
    ]);
  });
});

describe("host.shutdown", () => {
  test("ends everything, those that others require last, and calls in flight with what they lead to: the ancestor's ExitAll always failed", async () => {
    const clock = new ManualClock();
    await using it = new KernelHost(
      [
        { name: "c", module: facade("x.c"), exports: ["x.c"] },
        { name: "b", module: facade("x.b", "x.c/Echo", ["x.c"]), exports: ["x.b"] },
        {
          name: "a",
          exports: ["x.a"],
          module: slowFacade(),
        },
      ],
      { clock },
    );
    await it.host.start();
    const inFlight = ask(it.client("x.a"), "through all");
    await settled();
    const exits = it.host.shutdown({ code: 2, reason: "the end" });
    for (const name of ["x.a", "x.b", "x.c"]) {
      expect(await failure(ask(it.client(name), "new"))).toBe(
        `[unavailable] ${name.slice(2)} is exiting: the end`,
      );
    }
    expect(it.exits).toEqual([]);
    clock.advance(10);
    expect(await inFlight).toBe("through all");
    expect(await exits).toHaveLength(3);
    expect(it.exits.map(({ guest, code, reason }) => [guest, code, reason])).toEqual([
      ["a", 2, "the end"],
      ["b", 2, "the end"],
      ["c", 2, "the end"],
    ]);
    expect(await it.host.exited).toMatchObject({ code: 2 });
    expect(clock.pending).toBe(0);
  });

  test("gives up after the grace period, whatever requires what", async () => {
    const clock = new ManualClock();
    await using it = new KernelHost(
      [
        { name: "b", module: facade("x.b"), exports: ["x.b"] },
        { name: "a", module: facade("x.a", "x.b/Echo", ["x.b"]), exports: ["x.a"] },
      ],
      { clock },
    );
    await it.host.start();
    const late = failure(ask(it.client("x.a"), "", { delayMs: 20_000 }));
    await settled();
    const exits = it.host.shutdown({ graceMs: 60 });
    clock.advance(60);
    expect(await late).toMatch(/^\[aborted\]/);
    expect(await exits).toHaveLength(2);
  });

  test("before the guests are started lets none run", async () => {
    const g = new KernelGuest();
    const it = new KernelHost([
      { name: "a", module: g.guest({ start: g.must(NOTE, payload("ran")) }) },
    ]);
    const started = it.host.start();
    expect(await it.host.shutdown()).toEqual([]);
    await started;
    await it[Symbol.asyncDispose]();
    expect(it.notes).toEqual([]);
  });
});

/** A facade of x.b that first takes 10 ms. */
function slowFacade(): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  return g.guest({
    initialize: g.launch({ exports: ["x.a"], requires: ["x.b"] }),
    serve: `${g.must(ECHO, payload("", 10))} ${passOn(g, "x.b/Echo")}`,
  });
}
