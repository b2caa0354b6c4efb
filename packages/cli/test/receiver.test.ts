import { ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { ECHO_BACK, KernelGuest, payload } from "./kernel-guest.ts";
import { ask, ECHO, failure, KernelHost, NOTE, settled } from "./kernel-host.ts";
import { receiver } from "./receiver.ts";

describe("a guest that receives", () => {
  test("serves without exporting dropthrough_v1_serve, call after call", async () => {
    await using it = new KernelHost([{ name: "a", module: receiver(), exports: ["x.a"] }]);
    await it.host.start();
    const client = it.client("x.a");
    for (const text of ["one", "two"]) expect(await ask(client, text)).toBe(text);
    const many = Array.from({ length: 50 }, (_, i) => String(i));
    expect(await Promise.all(many.map(async (text) => ask(client, text)))).toEqual(many);
  });

  test("does so from _initialize of a reactor too", async () => {
    const g = new KernelGuest();
    const module = g.guest({
      initialize: `${g.launch({ exports: ["x.a"] })} ${g.loop({ incoming: ECHO_BACK })}`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }]);
    await it.host.start();
    expect(await ask(it.client("x.a"), "hi")).toBe("hi");
  });

  test("gets no call before it asks: calls wait until then", async () => {
    const clock = new ManualClock();
    const module = receiver({ before: (g) => g.must(ECHO, payload("", 1000)) });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock });
    await it.host.start();
    const answers = Promise.all(["one", "two"].map(async (text) => ask(it.client("x.a"), text)));
    let answered = false;
    void answers.then(() => (answered = true));
    await settled();
    expect(answered).toBe(false);
    clock.advance(1000);
    expect(await answers).toEqual(["one", "two"]);
  });

  test("answers UNIMPLEMENTED for a method that it never bound: the ancestor let its caller wait", async () => {
    await using it = new KernelHost([{ name: "a", module: receiver(), exports: ["x.a"] }]);
    await it.host.start();
    expect(await failure(it.client("x.a").forward({}))).toBe(
      "[unimplemented] a exports the service but did not bind x.a/Forward: it does not implement it",
    );
    expect(await ask(it.client("x.a"), "still here")).toBe("still here");
  });

  test("shares its calls with other instances, each taking one when it asks", async () => {
    const clock = new ManualClock();
    const g = new KernelGuest();
    const module = g.guest({
      start: `${g.launch({ exports: ["x.a"] })} ${g.loop({
        incoming: `${g.must(NOTE, payload("took one"))} ${g.must(ECHO, payload("", 100))} ${ECHO_BACK}`,
      })}`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"], instances: 3 }], {
      clock,
    });
    await it.host.start();
    const answers = Promise.all([1, 2, 3, 4].map(async (n) => ask(it.client("x.a"), String(n))));
    await settled();
    expect(it.notes).toHaveLength(3);
    clock.advance(100);
    await settled();
    expect(it.notes).toHaveLength(4);
    clock.advance(100);
    expect(await answers).toEqual(["1", "2", "3", "4"]);
  });

  test("that returns from its entry answers INTERNAL for what it holds, UNIMPLEMENTED for what comes", async () => {
    const g = new KernelGuest();
    const module = g.guest({
      initialize: `${g.launch({ exports: ["x.a"] })} (drop ${g.receive()})`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }]);
    void it.host.start();
    await settled();
    expect(await failure(ask(it.client("x.a"), ""))).toBe(
      "[internal] a returned from its entry without a reply to x.a/Echo",
    );
    expect(await failure(ask(it.client("x.a"), ""))).toBe(
      "[unimplemented] a neither exports dropthrough_v1_serve nor receives any more: it cannot answer x.a/Echo",
    );
  });

  test("is called through dropthrough_v1_serve again once its entry has returned, if it has one", async () => {
    const g = new KernelGuest();
    const module = g.guest({
      initialize: `${g.launch({ exports: ["x.a"] })}
        (drop ${g.receive()}) (local.set $call (call $field (i32.const 1))) (local.set $len (call $field (i32.const 3)))
        ${g.must(NOTE, payload("received"))} ${ECHO_BACK}`,
      serve: `${g.must(NOTE, payload("served"))} ${ECHO_BACK}`,
    });
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }]);
    void it.host.start();
    await settled();
    for (const text of ["one", "two"]) expect(await ask(it.client("x.a"), text)).toBe(text);
    expect(it.notes).toEqual(["a for host: received", "a for host: served"]);
  });

  test.each([
    ["traps", "unreachable", "[aborted] a crashed while it answered"],
    ["exits", "EXIT", "[unavailable] a has exited: enough"],
    ["returns", "(br $done)", "[unavailable] a has exited"],
  ])("that %s answers every call that it holds, once", async (_, how, message) => {
    const g = new KernelGuest();
    // It holds three calls, and ends with the third.
    const module = g.guest({
      start: `${g.launch({ exports: ["x.a"] })} ${g.loop({
        incoming: `(local.set $out (i32.add (local.get $out) (i32.const 1)))
          (if (i32.eq (local.get $out) (i32.const 3)) (then ${how === "EXIT" ? g.exit(3, "enough") : how}))`,
      })}`,
    });
    const ended: string[] = [];
    await using it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], {
      observers: [
        {
          ended: ({ name, error }) =>
            void (name === "x.a/Echo" && ended.push(error?.message ?? "OK")),
        },
      ],
    });
    await it.host.start();
    const failures = await Promise.all(
      [1, 2, 3].map(async () => failure(ask(it.client("x.a"), ""))),
    );
    expect(failures).toEqual([message, message, message]);
    await settled();
    expect(ended).toEqual(failures);
  });
});
