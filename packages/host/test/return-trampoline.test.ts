import { describe, expect, test } from "vitest";
import { askReturned, takeSeat } from "../src/return-trampoline.ts";
import { suspending } from "../src/suspension.ts";
import { wat } from "@dropthrough/guest-text";

/** A guest whose export goes through the host's `visit` and then tells that it is done. */
function guest(visit: (n: number) => unknown, log: string[], name: string) {
  const module = new WebAssembly.Module(
    wat(`(module
      (import "h" "visit" (func $visit (param i32)))
      (import "h" "done" (func $done (param i32)))
      (func (export "run") (param i32 i32 i32)
        (call $visit (local.get 0))
        (call $done (i32.add (local.get 1) (local.get 2)))))`),
  );
  const done = (sum: number): void => void log.push(`${name} ${sum}`);
  const h = { visit: suspending((n = 0) => visit(n)), done };
  return new WebAssembly.Instance(module, { h }).exports["run"] as WebAssembly.ExportValue;
}

const plain = (log: string[], name: string, visit: (n: number) => void = () => {}) =>
  new WebAssembly.Instance(
    new WebAssembly.Module(
      wat(`(module
        (import "h" "visit" (func $visit (param i32)))
        (func (export "run") (param i32 i32 i32) (call $visit (i32.add (local.get 1) (local.get 2)))))`),
    ),
    { h: { visit: (n: number) => (log.push(`${name} ${n}`), visit(n)) } },
  ).exports["run"] as WebAssembly.ExportValue;

describe("a seated export", () => {
  test("has returned before its promise says so", () => {
    const log: string[] = [];
    const seat = takeSeat(plain(log, "a"), 3);
    askReturned();
    expect(seat.run(1, 2, 3)).toBeInstanceOf(Promise);
    expect(log).toEqual(["a 5"]);
    expect(askReturned()).toBe(true);
    expect(askReturned()).toBe(false);
    seat.leave();
  });

  test("has not returned while it is suspended, whatever was entered from within it", async () => {
    const log: string[] = [];
    const inner = takeSeat(plain(log, "inner"), 3);
    const inside: boolean[] = [];
    const outer = takeSeat(
      guest(
        async () => {
          askReturned();
          inner.run(0, 1, 1);
          inside.push(askReturned());
        },
        log,
        "outer",
      ),
      3,
    );
    askReturned();
    const run = outer.run(0, 2, 2);
    expect(inside).toEqual([true]);
    expect(askReturned()).toBe(false);
    await run;
    expect(log).toEqual(["inner 2", "outer 4"]);
    inner.leave();
    outer.leave();
  });

  test("that is suspended goes on, though its seat was left and taken by another", async () => {
    const log: string[] = [];
    let wake = (): void => {};
    const sleeper = takeSeat(
      guest(() => new Promise<void>((r) => (wake = r)), log, "sleeper"),
      3,
    );
    const run = sleeper.run(0, 3, 4);
    sleeper.leave();
    const next = takeSeat(plain(log, "next"), 3);
    next.run(0, 1, 0);
    wake();
    await run;
    expect(log).toEqual(["next 1", "sleeper 7"]);
    next.leave();
  });

  test("that left its seat is not entered from it again", async () => {
    const seat = takeSeat(plain([], "gone"), 3);
    seat.leave();
    await expect(seat.run(0, 0, 0)).rejects.toThrow(WebAssembly.RuntimeError);
  });
});
