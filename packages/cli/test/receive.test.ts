import { ManualClock } from "@dropthrough/dispatch/testing";
import { KernelService } from "@dropthrough/kernel";
import { describe, expect, test } from "vitest";
import { ECHO_BACK, encode, KernelGuest, payload, REPLY_WORD } from "./kernel-guest.ts";
import { ask, ECHO, failure, KernelHost, NOTE, settled } from "./kernel-host.ts";
import { receiver } from "./receiver.ts";

const KernelReceive = KernelService.method.receive;
const RECEIVE = `${KernelService.typeName}/Receive`;

describe("Receive", () => {
  test("honours its timeout, also one above the default deadline of calls: the ancestor's ReadOne never read it", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.launch()}
        (if (i32.ne ${g.receive(60_000)} (i32.const 4)) (then unreachable)) ${g.must(NOTE, payload("timeout"))}
        (if (i32.ne ${g.receive(0)} (i32.const 4)) (then unreachable)) ${g.must(NOTE, payload("polled"))}`,
    });
    await using it = new KernelHost([{ name: "a", module }], { clock });
    await it.host.start();
    await settled();
    clock.advance(59_999);
    await settled();
    expect(it.notes).toEqual([]);
    clock.advance(1);
    expect(await it.host.exited).toMatchObject({ code: 0 });
    expect(it.notes).toEqual(["a: timeout", "a: polled"]);
    expect(clock.pending).toBe(0);
  });

  test("leaves no timer when something happens first", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.launch({ exports: ["x.a"] })} (drop ${g.receive(60_000)})
        (local.set $call (call $field (i32.const 1))) (local.set $len (call $field (i32.const 3))) ${ECHO_BACK}`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    await settled();
    expect(await ask(it.client("x.a"), "hi")).toBe("hi");
    await it.host.exited;
    expect(clock.pending).toBe(0);
  });

  test("of a thousand guests that wait costs others no time: the ancestor's held a lock over its waiting", async () => {
    const clock = new ManualClock();
    const idle = new KernelGuest();
    const waits = idle.guest({ start: `${idle.launch()} (drop ${idle.receive()})` });
    await using it = new KernelHost(
      [
        { name: "idle", module: waits, instances: 1000 },
        { name: "a", module: receiver(), exports: ["x.a"] },
      ],
      { clock },
    );
    await it.host.start();
    await settled();
    expect(await ask(it.client("x.a"), "hi")).toBe("hi");
    expect(clock.now()).toBe(0);
  });

  test("tells of finished calls, for which wait answers at once, and once of each", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.launch()}
        (local.set $out (call $number ${g.call(ECHO, payload("late", 20))}))
        (local.set $call (call $number ${g.call(ECHO, payload("early", 10))}))
        (drop ${g.call(ECHO, payload("released", 5))})
        (drop (call $release (i32.add (local.get $call) (i32.const 1))))
        (if (i32.ne ${g.receive()} (i32.const 2)) (then unreachable))
        (if (i32.ne (call $field (i32.const 1)) (local.get $call)) (then unreachable))
        (if (i32.ne (call $wait (local.get $call) (i32.const 8192) (i32.const 100)) (i32.const 7)) (then unreachable))
        (if (i32.ne ${g.receive()} (i32.const 2)) (then unreachable))
        (if (i32.ne (call $field (i32.const 1)) (local.get $out)) (then unreachable))
        (if (i32.ne ${g.receive(0)} (i32.const 4)) (then unreachable))`,
    });
    await using it = new KernelHost([{ name: "a", module }], { clock });
    await it.host.start();
    for (let i = 0; i < 4; i++) {
      await settled();
      clock.advance(5);
    }
    expect(await it.host.exited).toMatchObject({ code: 0, reason: "" });
  });

  test("tells of calls that had finished before the first one, but not of those that were waited for", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.launch()}
        (local.set $out (call $number ${g.call(ECHO, payload("", 5))}))
        ${g.must(ECHO, payload("", 10))}
        (if (i32.ne ${g.receive(0)} (i32.const 2)) (then unreachable))
        (if (i32.ne (call $field (i32.const 1)) (local.get $out)) (then unreachable))
        (if (i32.ne ${g.receive(0)} (i32.const 4)) (then unreachable))`,
    });
    await using it = new KernelHost([{ name: "a", module }], { clock });
    await it.host.start();
    clock.advance(10);
    expect(await it.host.exited).toMatchObject({ code: 0, reason: "" });
  });

  test("takes finished and incoming calls in turns: the ancestor's favoured the finished ones", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.launch({ exports: ["x.a"] })}
        ${Array.from({ length: 4 }, () => `(drop ${g.call(ECHO, payload("", 5))})`).join("")}
        ${g.must(ECHO, payload("", 10))}
        ${g.loop({
          incoming: `${g.must(NOTE, payload("incoming"))} ${ECHO_BACK}`,
          finished: g.must(NOTE, payload("finished")),
        })}`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    const answers = [1, 2, 3].map(async (n) => ask(it.client("x.a"), String(n)));
    await settled();
    clock.advance(10);
    expect(await Promise.all(answers)).toEqual(["1", "2", "3"]);
    expect(it.notes.map((note) => note.split(": ")[1])).toEqual([
      "finished",
      "incoming",
      "finished",
      "incoming",
      "finished",
      "incoming",
      "finished",
    ]);
  });

  test("is one at a time: another one is FAILED_PRECONDITION", async () => {
    const g = new KernelGuest();
    const request = encode(KernelReceive, {});
    const module = g.guest({
      start: `${g.launch()} (drop ${g.call(RECEIVE, request)})
        (if (i32.ne ${g.receive(0)} (i32.const -9)) (then unreachable))`,
    });
    await using it = new KernelHost([{ name: "a", module }]);
    await it.host.start();
    expect(await it.host.exited).toMatchObject({ code: 0, reason: "" });
  });

  test("before Register, inside of serve, or of a guest with an event loop is FAILED_PRECONDITION", async () => {
    const early = new KernelGuest();
    const serving = new KernelGuest();
    const loop = new KernelGuest();
    const refused = (g: KernelGuest): string =>
      `(if (i32.ne ${g.receive(0)} (i32.const -9)) (then unreachable))`;
    await using it = new KernelHost([
      { name: "early", module: early.guest({ start: refused(early) }) },
      {
        name: "a",
        exports: ["x.a"],
        module: serving.guest({
          initialize: serving.launch({ exports: ["x.a"] }),
          serve: `${refused(serving)} ${ECHO_BACK}`,
        }),
      },
      {
        name: "loop",
        module: loop.guest({
          start: `${loop.launch()} ${refused(loop)}`,
          more: `(func (export "dropthrough_v1_done") (param i32 i32))`,
        }),
      },
    ]);
    await it.host.start();
    expect(await ask(it.client("x.a"), "hi")).toBe("hi");
    expect(it.exits.map(({ guest, code, reason }) => [guest, code, reason])).toEqual([
      ["early", 0, ""],
      ["loop", 0, ""],
    ]);
  });

  test("that is given up, or late, keeps its event for the next one", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.launch({ exports: ["x.a"] })}
        (local.set $out (call $number ${g.call(RECEIVE, encode(KernelReceive, {}))}))
        (if (call $release (local.get $out)) (then unreachable))
        (if (i32.ne ${g.receive(undefined, 50)} (i32.const -4)) (then unreachable))
        ${g.must(NOTE, payload("late"))}
        ${g.loop({ incoming: ECHO_BACK })}`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    await settled();
    clock.advance(50);
    await it.noted("a: late");
    expect(await ask(it.client("x.a"), "hi")).toBe("hi");
  });

  test("makes calls on behalf of the call that its event is about, until that is replied to", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    // Each call is echoed by the backend, 20 ms later for the first and 10 for the second; its number is kept at 57344 + 4 * out.
    const module = g.guest({
      start: `${g.launch({ exports: ["x.a"] })} ${g.loop({
        incoming: `
          (drop (call $read (local.get $call) (i32.const 0) (i32.const 4096) (local.get $len)))
          (local.set $w (call $start (call $bound ${g.data(ECHO)}) (i32.const 4096) (local.get $len) (i32.const 0)))
          (i32.store (i32.add (i32.const 57344) (i32.mul (i32.const 4) (call $number (local.get $w)))) (local.get $call))`,
        finished: `
          (local.set $w (call $wait (local.get $call) (i32.const 8192) (i32.const 4096)))
          (local.set $call (i32.load (i32.add (i32.const 57344) (i32.mul (i32.const 4) (local.get $call)))))
          (memory.copy (i32.const 4096) (i32.const 8192) (local.get $w))
          (drop (call $ok (call $start (call $bound ${g.data(NOTE)}) (i32.const 4096) (local.get $w) (i32.const 0))))
          (drop (call $reply (local.get $call) (i32.const 0) (i32.const 4096) (local.get $w)))
          ${g.must(NOTE, payload("replied"))}`,
      })}`,
    });
    const calls: string[] = [];
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], {
      clock,
      observers: [
        {
          started: ({ name, parent, id }) =>
            void (
              name.endsWith("/Echo") && calls.push(`${name.split("/")[0]} ${id} for ${parent?.id}`)
            ),
        },
      ],
    });
    await it.host.start();
    await settled();
    calls.length = 0;
    const answers = [
      ask(it.client("x.a"), "one", { delayMs: 20 }),
      ask(it.client("x.a"), "two", { delayMs: 10 }),
    ];
    await settled();
    for (let i = 0; i < 2; i++) {
      clock.advance(10);
      await settled();
    }
    expect(await Promise.all(answers)).toEqual(["one", "two"]);
    expect(it.notes).toEqual(["a for host: two", "a: replied", "a for host: one", "a: replied"]);
    const [one, two] = calls.map((line) => line.split(" ")[1]);
    expect(
      calls.filter((line) => line.includes("EchoService")).map((line) => line.split(" for ")[1]),
    ).toEqual([one, two]);
    expect(
      calls.filter((line) => line.includes("NoteService")).map((line) => line.split(" for ")[1]),
    ).toEqual([two, "undefined", one, "undefined"]);
  });

  test("takes the deadline of the incoming call to what is called for it, and no further", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.launch({ exports: ["x.a"] })} ${g.loop({
        incoming: `(local.set $w (call $finish ${g.call(ECHO, payload("", 60_000))})) ${REPLY_WORD}`,
      })}`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    await settled();
    const late = failure(ask(it.client("x.a"), "", { timeoutMs: 40 }));
    await settled();
    clock.advance(40);
    expect(await late).toBe("[deadline_exceeded] x.a/Echo did not answer within its deadline");
    await settled();
    const again = failure(ask(it.client("x.a"), "", { timeoutMs: 1000 }));
    await settled();
    clock.advance(1000);
    expect(await again).toMatch(/^\[deadline_exceeded\]/);
  });
});
