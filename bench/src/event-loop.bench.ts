import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { defineBackend } from "@dropthrough/dispatch";
import { EchoService } from "@dropthrough/dispatch/testing";
import { createHost } from "@dropthrough/host";
import { bareHost } from "./bare-host.ts";
import type { CaseMaker } from "./case.ts";
import { data, loopRequest, renamed, serving, starter, wat } from "./loop-guest.ts";

const EXPORTED = "bench.v1.EventLoopService";
const LATER = "bench.v1.LaterService";
const IN_FLIGHT = 1000;

const { input } = EchoService.method.echo;
const request = toBinary(input, create(input, { payload: Buffer.alloc(64, 7) }));

/** What both sides call: it answers in the next turn of the event loop. */
const later = async ({
  payload,
}: {
  readonly payload: Uint8Array;
}): Promise<{ payload: Uint8Array }> =>
  new Promise((resolve) => void setImmediate(resolve, { payload }));

/**
 * A guest with an event loop: as long as there are calls to be made, so many are in flight. Each has a buffer of its own.
 *
 * ```text
 *  memory:  640 name   4096 request   1 MiB ── 2,048 buffers of 128 bytes
 * ```
 */
function guest(): Uint8Array<ArrayBuffer> {
  const method = `${LATER}/Echo`;
  const head = `
    (data (i32.const 640) "${method}") (data (i32.const 4096) "${data(request)}")
    (global $call_ (mut i32) (i32.const 0)) (global $method_ (mut i32) (i32.const 0))
    (global $left (mut i32) (i32.const 0)) (global $flying (mut i32) (i32.const 0)) (global $slot (mut i32) (i32.const 0))
    (func $fly (local $w i32)
      (loop $again
        (if (i32.and (i32.gt_s (global.get $left) (i32.const 0)) (i32.lt_s (global.get $flying) (i32.const ${IN_FLIGHT}))) (then
          (global.set $slot (i32.and (i32.add (global.get $slot) (i32.const 1)) (i32.const 2047)))
          (local.set $w (call $call (global.get $method_) (i32.const 4096) (i32.const ${request.length})
            (i32.add (i32.const 1048576) (i32.shl (global.get $slot) (i32.const 7))) (i32.const 128) (i32.const 0)))
          (if (i32.ne (i32.and (i32.shr_u (i32.xor (local.get $w) (i32.const -1)) (i32.const 24)) (i32.const 127)) (i32.const 2)) (then unreachable))
          (global.set $left (i32.sub (global.get $left) (i32.const 1)))
          (global.set $flying (i32.add (global.get $flying) (i32.const 1)))
          (br $again)))))
    (func (export "dropthrough_v1_done") (param $c i32) (param $w i32)
      (if (i32.ne (local.get $w) (i32.const ${request.length})) (then unreachable))
      (global.set $flying (i32.sub (global.get $flying) (i32.const 1)))
      (call $fly)
      (if (i32.eqz (global.get $flying)) (then
        (drop (call $reply (global.get $call_) (i32.const 0) (i32.const 0) (i32.const 0))))))`;
  const serve = `
    (drop (call $read (local.get $c) (i32.const 0) (i32.const 512) (i32.const 64)))
    (global.set $call_ (local.get $c))
    (global.set $left (i32.load (i32.const 514)))
    (global.set $method_ (call $bind (i32.const 640) (i32.const ${method.length})))
    (if (i32.lt_s (global.get $method_) (i32.const 0)) (then unreachable))
    (call $fly)`;
  return wat(serving(EXPORTED, serve, { head }));
}

/** The same in JavaScript: so many promises in flight, as long as there are calls to be made. */
async function plain(times: number): Promise<number> {
  const message = { payload: Buffer.alloc(64, 7) };
  let left = times;
  const start = process.hrtime.bigint();
  await new Promise<void>((resolve) => {
    let flying = 0;
    const fly = (): void => {
      while (left > 0 && flying < IN_FLIGHT) {
        left--;
        flying++;
        void later(message).then(() => {
          flying--;
          fly();
          if (flying === 0) resolve();
        });
      }
    };
    fly();
  });
  return Number(process.hrtime.bigint() - start);
}

const WHAT = "the same promises in plain JavaScript";

const cases: readonly CaseMaker[] = [
  {
    name: "async.done1000.bare",
    make: async () => ({
      what: `${WHAT}; beside it the same guest without codec and dispatch`,
      subject: bareHost(guest(), later),
      baseline: plain,
    }),
  },
  {
    name: "async.done1000",
    async make() {
      const host = createHost({
        backends: [
          starter,
          defineBackend({ name: "later", service: renamed(LATER), impl: { echo: later } }),
        ],
        guests: [
          {
            name: "loop",
            module: guest(),
            exports: [EXPORTED],
            grants: ["bench.v1.StarterService/*", `${LATER}/*`],
          },
        ],
      });
      await host.start();
      const client = createClient(renamed(EXPORTED), host.transport);
      return {
        what: WHAT,
        atMost: 2,
        async subject(times) {
          const payload = loopRequest(times);
          const start = process.hrtime.bigint();
          await client.echo({ payload });
          return Number(process.hrtime.bigint() - start);
        },
        baseline: plain,
        close: async () => host[Symbol.asyncDispose](),
      };
    },
  },
];

export default cases;
