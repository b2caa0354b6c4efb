import { create, toBinary } from "@bufbuild/protobuf";
import { type Backend, defineBackend } from "@dropthrough/dispatch";
import { echo, EchoService } from "@dropthrough/dispatch/testing";
import type { GuestConfig } from "@dropthrough/host";
import { kernel } from "@dropthrough/kernel";
import type { CaseMaker } from "./case.ts";
import { loopGuest, type LoopOptions, renamed, wat } from "./loop-guest.ts";

const KERNEL = "dropthrough.kernel.v1.KernelService";
const IDLE = 1000;

/** A guest that receives, and to which nothing happens. */
const idleModule = wat(`(module
  (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
  (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "dropthrough_v1" "wait" (func $wait (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "${KERNEL}/Register") (data (i32.const 128) "${KERNEL}/Receive")
  (func $do (param $name i32) (param $len i32) (local $w i32)
    (local.set $w (call $call (call $bind (local.get $name) (local.get $len)) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 1024) (i32.const 0)))
    (if (i32.lt_s (local.get $w) (i32.const 0))
      (then (drop (call $wait (i32.and (i32.xor (local.get $w) (i32.const -1)) (i32.const 0xffffff)) (i32.const 1024) (i32.const 1024))))))
  (func (export "_start")
    (call $do (i32.const 16) (i32.const ${KERNEL.length + 9}))
    (call $do (i32.const 128) (i32.const ${KERNEL.length + 8}))
    unreachable))`);

const idle: readonly GuestConfig[] = Array.from({ length: IDLE }, (_, i) => ({
  name: `idle${i}`,
  module: idleModule,
}));

/** The same call in a host with the idle guests beside it, and in one without. */
function besideIdle(name: string, options: () => LoopOptions & { backends: Backend[] }): CaseMaker {
  return {
    name,
    async make() {
      const open = async (guests: readonly GuestConfig[]): ReturnType<typeof loopGuest> => {
        const { backends, ...rest } = options();
        return loopGuest({ ...rest, backends: [kernel(), ...backends], guests });
      };
      const [a, b] = [await open(idle), await open([])];
      return {
        what: `the same without ${IDLE} guests that wait in Receive`,
        subject: a.sample,
        baseline: b.sample,
        atMost: 1.2,
        async close() {
          await a.host[Symbol.asyncDispose]();
          await b.host[Symbol.asyncDispose]();
        },
      };
    },
  };
}

const { input } = EchoService.method.echo;
const request = toBinary(input, create(input, { payload: Buffer.alloc(64, 7) }));

const cases: readonly CaseMaker[] = [
  besideIdle("kernel.idle1000", () => ({
    method: "dropthrough.testing.v1.EchoService/Echo",
    request,
    backends: [echo()],
  })),
  besideIdle("kernel.idle1000Wait", () => ({
    method: "bench.v1.AsyncService/Echo",
    request,
    waits: true,
    backends: [
      defineBackend({
        name: "async",
        service: renamed("bench.v1.AsyncService"),
        impl: { echo: async ({ payload }) => ({ payload }) },
      }),
    ],
  })),
];

export default cases;
