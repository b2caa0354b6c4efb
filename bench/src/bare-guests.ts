import { promising, Suspending } from "./jspi.ts";
import { wat } from "./loop-guest.ts";
import type { Sample } from "./case.ts";

const GUEST = `(module
  (import "h" "once" (func $once (result i32)))
  (memory 1)
  (func (export "run") (param $n i32)
    (block $over
      (loop $again
        (br_if $over (i32.eqz (local.get $n)))
        (drop (call $once))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $again)))))`;

/** Guests that are suspended while something is done for them, with nothing of ours between: what JSPI itself costs. */
export function bareGuests(count: number, once: () => Promise<unknown>): Sample {
  const module = new WebAssembly.Module(wat(GUEST));
  const runs = Array.from({ length: count }, () => {
    const h = { once: new Suspending(() => once().then(() => 0)) };
    return promising(new WebAssembly.Instance(module, { h }).exports["run"]);
  });
  return async (times) => {
    const start = process.hrtime.bigint();
    const each = Math.ceil(times / count);
    await Promise.all(runs.map((run) => run(each)));
    return (Number(process.hrtime.bigint() - start) / (each * count)) * times;
  };
}
