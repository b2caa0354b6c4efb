import { ManualClock } from "@dropthrough/dispatch/testing";
import { GuestError } from "@dropthrough/host";
import { describe, expect, test } from "vitest";
import { ECHO_BACK, KernelGuest, payload } from "./kernel-guest.ts";
import { ask, ECHO, failure, KernelHost, NOTE, settled } from "./kernel-host.ts";
import { facade } from "./passing-facade.ts";

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
