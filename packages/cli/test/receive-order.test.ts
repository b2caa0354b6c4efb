import { SeededScheduler } from "@dropthrough/host/testing";
import { expect, test } from "vitest";
import { ECHO_BACK, KernelGuest } from "./kernel-guest.ts";
import { ask, KernelHost } from "./kernel-host.ts";

/** A guest whose every Receive has a deadline of its own, of 10 ms: then it asks again. */
function impatient(): Uint8Array<ArrayBuffer> {
  const g = new KernelGuest();
  return g.guest({
    start: `${g.launch({ exports: ["x.a"] })} (loop $again
      (local.set $k ${g.receive(undefined, 10)})
      (if (i32.eq (local.get $k) (i32.const 1)) (then
        (local.set $call (call $field (i32.const 1))) (local.set $len (call $field (i32.const 3))) ${ECHO_BACK} (br $again)))
      (if (i32.eq (local.get $k) (i32.const 3)) (then ${g.exit(0)}))
      (br_if $again (i32.eq (local.get $k) (i32.const -4)))
      unreachable)`,
  });
}

test("no call is lost between a Receive that is given up and the next one, in any legal order", async () => {
  const module = impatient();
  for (let seed = 0; seed < 150; seed++) {
    const schedule = new SeededScheduler(seed);
    const it = new KernelHost([{ name: "a", module, exports: ["x.a"] }], { clock: schedule });
    await schedule.run(it.host.start());
    const after = async (ms: number): Promise<void> =>
      new Promise((resolve) => void schedule.after(ms, resolve));
    const calls = Array.from({ length: 12 }, async (_, i) => {
      // Each comes just when the deadline of a Receive falls due.
      await after(10 * i);
      return ask(it.client("x.a"), String(i));
    });
    const answers = await schedule.run(Promise.all(calls));
    expect(answers, `seed ${seed}`).toEqual(answers.map((_, i) => String(i)));
    expect(schedule.now(), `seed ${seed}`).toBeLessThan(1000);
    const exits = await schedule.run(it.host.shutdown());
    expect(exits, `seed ${seed}`).toMatchObject([{ code: 0 }]);
    await schedule.run(it[Symbol.asyncDispose]());
  }
});
