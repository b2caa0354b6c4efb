import { create, toBinary } from "@bufbuild/protobuf";
import { type BoundMethod, DEFAULT_ABI_LIMITS, Endpoint, GuestMemory } from "@dropthrough/abi";
import { defineBackend } from "@dropthrough/dispatch";
import { echo, EchoService } from "@dropthrough/dispatch/testing";
import { floor } from "./call.bench.ts";
import type { CaseMaker, Sample } from "./case.ts";
import { loopGuest, renamed, wat } from "./loop-guest.ts";

const { input } = EchoService.method.echo;
const request = toBinary(input, create(input, { payload: Buffer.alloc(64, 7) }));

/**
 * A part of a call, beside the whole of `call.echo64`. Each part does what the one before it does, and one thing more,
 * so the ratios say how far into a call each step is done: docs/PERFORMANCE.md draws them.
 */
function part(name: string, make: () => Promise<{ sample: Sample; close?(): Promise<void> }>) {
  return {
    name,
    async make() {
      const some = await make();
      const { sample, host } = await loopGuest({
        method: "dropthrough.testing.v1.EchoService/Echo",
        request,
        backends: [echo()],
      });
      return {
        what: "call.echo64",
        subject: some.sample,
        baseline: sample,
        async close() {
          await host[Symbol.asyncDispose]();
          await some.close?.();
        },
      };
    },
  } satisfies CaseMaker;
}

/** The endpoint with a method behind it that does nothing: checks, limits, numbers, the result word. */
function boundary(): Sample {
  const nothing: BoundMethod<0> = {
    name: "bench.v1.Nothing/Do",
    start: () => 0,
    write: () => 0,
    encode: () => new Uint8Array(),
  };
  const module = wat(`(module
    (import "h" "bind" (func $bind (param i32 i32) (result i32)))
    (import "h" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 4)
    (data (i32.const 640) "${nothing.name}")
    (global $method (mut i32) (i32.const 0))
    (func (export "start") (global.set $method (call $bind (i32.const 640) (i32.const ${nothing.name.length}))))
    (func (export "run") (param $n i32)
      (loop $again
        (if (call $call (global.get $method) (i32.const 4096) (i32.const ${request.length}) (i32.const 65600) (i32.const 512) (i32.const 0))
          (then unreachable))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`);
  let endpoint: Endpoint | undefined;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module), {
    h: {
      bind: (ptr: number, len: number) => endpoint?.bind(ptr, len),
      call: (a: number, b: number, c: number, d: number, e: number, f: number) =>
        endpoint?.call(a, b, c, d, e, f),
    },
  });
  const { memory, start, run } = instance.exports as {
    memory: WebAssembly.Memory;
    start: () => void;
    run: (times: number) => void;
  };
  endpoint = new Endpoint(new GuestMemory(memory), {
    limits: DEFAULT_ABI_LIMITS,
    bind: () => nothing,
    incident: String,
  });
  start();
  return (times) => {
    const began = process.hrtime.bigint();
    run(times);
    return Number(process.hrtime.bigint() - began);
  };
}

/** A whole host whose handler answers an empty message. */
async function silent(bytes: Uint8Array): ReturnType<Parameters<typeof part>[1]> {
  const { sample, host } = await loopGuest({
    method: "bench.v1.SilentService/Echo",
    request: bytes,
    backends: [
      defineBackend({
        name: "silent",
        service: renamed("bench.v1.SilentService"),
        impl: { echo: () => ({}) },
      }),
    ],
  });
  return { sample, close: async () => host[Symbol.asyncDispose]() };
}

const cases: readonly CaseMaker[] = [
  part("part.crossing", async () => ({ sample: floor() })),
  part("part.boundary", async () => ({ sample: boundary() })),
  part("part.dispatch", async () => silent(new Uint8Array())),
  part("part.request", async () => silent(request)),
];

export default cases;
