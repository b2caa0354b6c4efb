import { createHost, type Host } from "@dropthrough/host";
import { starter, wat } from "../loop-guest.ts";

/** Text of a module of about 30 KB: functions that nobody calls, memory with data in its first page, all imports. */
function text(): string {
  const add = "(i32.add (i32.mul (local.get 0) (i32.const 77777)) (local.get 1))";
  const functions = Array.from(
    { length: 280 },
    (_, i) =>
      `(func $f${i} (param i32 i32) (result i32) ${`(local.set 0 ${add})`.repeat(8)} (i32.add (local.get 0) (i32.const ${i})))`,
  );
  return `(module
    (import "dropthrough_v1" "bind" (func (param i32 i32) (result i32)))
    (import "dropthrough_v1" "call" (func (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "dropthrough_v1" "read" (func (param i32 i32 i32 i32) (result i32)))
    (import "dropthrough_v1" "reply" (func (param i32 i32 i32 i32) (result i32)))
    (import "dropthrough_v1" "release" (func (param i32) (result i32)))
    (import "dropthrough_v1" "wait" (func (param i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 1024) "an idle guest")
    (global $ready (mut i32) (i32.const 0))
    (table funcref (elem $f0 $f1 $f2 $f3))
    ${functions.join("\n")}
    (func (export "_initialize") (global.set $ready (i32.const 1)))
    (func (export "dropthrough_v1_serve") (param i32 i32 i32)))`;
}

/** The module: what a guest of some size looks like that serves, may wait, and has nothing to do. */
export const idleModule: Uint8Array<ArrayBuffer> = wat(text());

/** Starts a host with so many instances of it. */
export async function idleHost(instances: number): Promise<Host> {
  const host = createHost({
    backends: [starter],
    guests: [{ name: "idle", module: idleModule, instances }],
  });
  await host.start();
  return host;
}

const compiled = new WebAssembly.Module(idleModule);

/** The same module without a host: an instance, its imports, and its start. */
export function bareInstance(): WebAssembly.Instance {
  const f = (): number => 0;
  const imports = { bind: f, call: f, read: f, reply: f, release: f, wait: f };
  const instance = new WebAssembly.Instance(compiled, { dropthrough_v1: imports });
  (instance.exports["_initialize"] as () => void)();
  return instance;
}
