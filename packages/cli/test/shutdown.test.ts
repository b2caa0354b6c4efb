import { ManualClock } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { KernelGuest, payload } from "./kernel-guest.ts";
import { ask, ECHO, failure, KernelHost, NOTE, settled } from "./kernel-host.ts";
import { facade, passOn } from "./passing-facade.ts";

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
