import { type CallContext, createPlugin } from "@extism/extism";
import type { Sample } from "../case.ts";
import { clocked, echoGuest, type Glue, REQUEST, RESPONSE } from "./echo-guest.ts";

/** Extism carries bytes eight at a time, through blocks that the host keeps. */
const glue = (size: number): Glue => ({
  imports: `
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "free" (func $free (param i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "load_u64" (func $load (param i64) (result i64)))
    (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
    (import "extism:host/env" "input_load_u64" (func $input (param i64) (result i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (import "extism:host/user" "echo" (func $host (param i64) (result i64)))`,
  echo: `
    (local.set $a (call $alloc (i64.const ${size})))
    (loop $next
      (call $store
        (i64.add (local.get $a) (i64.extend_i32_u (local.get $i)))
        (i64.load (i32.add (i32.const ${REQUEST}) (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const ${size}))))
    (local.set $b (call $host (local.get $a)))
    (if (i64.ne (call $length (local.get $b)) (i64.const ${size})) (then unreachable))
    (local.set $i (i32.const 0))
    (loop $next
      (i64.store
        (i32.add (i32.const ${RESPONSE}) (local.get $i))
        (call $load (i64.add (local.get $b) (i64.extend_i32_u (local.get $i)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const ${size}))))
    (call $free (local.get $a))
    (call $free (local.get $b))`,
  exports: `
    (func (export "run") (call $run (i32.wrap_i64 (call $input (i64.const 0)))))
    (func (export "echo") (local $i i32) (local $a i64)
      (loop $next
        (i64.store (i32.add (i32.const ${REQUEST}) (local.get $i)) (call $input (i64.extend_i32_u (local.get $i))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const ${size}))))
      (local.set $i (i32.const 0))
      (local.set $a (call $alloc (i64.const ${size})))
      (loop $next
        (call $store
          (i64.add (local.get $a) (i64.extend_i32_u (local.get $i)))
          (i64.load (i32.add (i32.const ${REQUEST}) (local.get $i))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const ${size}))))
      (call $output (local.get $a) (i64.const ${size})))`,
});

/** Extism 1.0.3 numbers its blocks and forgets none: it is reset so often, outside of the clock, that this costs nothing. */
const CALLS = { main: 200, worker: 10 };

interface Peer {
  readonly sample: Sample;
  close(): Promise<void>;
}

/** Echoes from the guest: in the main thread, or in a worker with a host function that is asynchronous. */
export async function extismEcho(size: number, where: "main" | "worker"): Promise<Peer> {
  // The host hands back the very bytes that it read: no copy more than Extism makes itself.
  const answer = (context: CallContext, at: bigint): bigint =>
    context.store(context.read(at)?.bytes() ?? "");
  const echo =
    where === "main" ? answer : async (context: CallContext, at: bigint) => answer(context, at);
  const plugin = await createPlugin(
    { wasm: [{ data: echoGuest(size, glue(size)) }] },
    { functions: { "extism:host/user": { echo } }, runInWorker: where === "worker" },
  );
  return {
    async sample(times) {
      let took = 0;
      for (let left = times; left > 0; left -= CALLS[where]) {
        const count = Buffer.alloc(8);
        count.writeUInt32LE(Math.min(left, CALLS[where]));
        const input = new Uint8Array(count);
        took += await clocked(async () => plugin.call("run", input));
        await plugin.reset();
      }
      return took;
    },
    close: async () => plugin.close(),
  };
}

/** Calls into the guest, which echoes its input. */
export async function extismInvoke(size: number): Promise<Peer> {
  const plugin = await createPlugin(
    { wasm: [{ data: echoGuest(size, glue(size)) }] },
    { functions: { "extism:host/user": { echo: (_context: CallContext, at: bigint) => at } } },
  );
  const input = new Uint8Array(size).fill(7);
  return {
    async sample(times) {
      let took = 0;
      for (let left = times; left > 0; left -= CALLS.main) {
        const count = Math.min(left, CALLS.main);
        took += await clocked(async () => {
          for (let i = 0; i < count; i++) await plugin.call("echo", input);
        });
        await plugin.reset();
      }
      return took;
    },
    close: async () => plugin.close(),
  };
}
