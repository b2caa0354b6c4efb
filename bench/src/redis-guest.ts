import { createClient } from "@connectrpc/connect";
import { createHost, type GuestConfig } from "@dropthrough/host";
import { redis, RedisService } from "@dropthrough/redis";
import type { Sample } from "./case.ts";
import { Gate, GATE } from "./gate.ts";
import { data, wat } from "./loop-guest.ts";

const SERVICE = RedisService.typeName;
const OPEN = `${SERVICE}/Open`;
const ASK = `${GATE}/Echo`;
/** Field 1 of every request: the id that Open answers, as it stands in the answer. */
const ID_BYTES = 24;

/** What guests of a benchmark do with Redis. */
export interface RedisGuests {
  readonly url: string;
  /** Such as `Get`. */
  readonly method: string;
  /** Encoded, without the connection's id, which comes first in all of them. */
  readonly request: Uint8Array;
  readonly instances: number;
  /** How many calls each has under way: 1 for guests that wait, more for guests with an event loop. */
  readonly inFlight: number;
}

/** Starts guests that hold a connection to Redis each, and do one thing with it over and over, through the whole stack. */
export async function redisGuests(
  options: RedisGuests,
): Promise<{ sample: Sample; close: () => Promise<void> }> {
  const { url, instances, inFlight } = options;
  const gate = new Gate(instances);
  const guest: GuestConfig = {
    name: "guest",
    module: wat(inFlight > 1 ? loopText(options) : waitText(options)),
    grants: [`${SERVICE}/*`, `${GATE}/*`],
    instances,
  };
  const host = createHost({
    backends: [redis({ url }), gate.backend],
    guests: [guest],
  });
  // The connection is up before there are guests: they are answered at once when they open it.
  await createClient(RedisService, host.transport).open({});
  await host.start();
  return {
    sample: (times) => gate.round(times),
    async close() {
      await gate.end();
      await host[Symbol.asyncDispose]();
    },
  };
}

/*
 * Memory of both guests, one page:
 *
 *   16 name of Open │ 128 of the method │ 256 of the gate │ 512 answer of the gate │ 1024 answer of Open
 *   4096 the request: │ 0a 16 id … (of Open) │ the rest │
 *   16384 where each call under way has its answer (event loop) │ 32768 answers
 */
const PLACES = 16_384;
const RESPONSES = 32_768;

function head(options: RedisGuests): string {
  const { method, request } = options;
  return `
  (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
  (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "${OPEN}")
  (data (i32.const 128) "${SERVICE}/${method}")
  (data (i32.const 256) "${ASK}")
  (data (i32.const ${4096 + ID_BYTES}) "${data(request)}")
  (global $method (mut i32) (i32.const 0))
  (global $gate (mut i32) (i32.const 0))
  (func $open
    (global.set $gate (call $bind (i32.const 256) (i32.const ${ASK.length})))
    (global.set $method (call $bind (i32.const 128) (i32.const ${SERVICE.length + 1 + method.length})))
    (if (i32.ne (i32.const ${ID_BYTES})
        (call $call (call $bind (i32.const 16) (i32.const ${OPEN.length})) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 64) (i32.const 0)))
      (then unreachable))
    (memory.copy (i32.const 4096) (i32.const 1024) (i32.const ${ID_BYTES})))
  (func $ask (result i32)
    (call $call (global.get $gate) (i32.const 0) (i32.const 0) (i32.const 512) (i32.const 64) (i32.const 0)))
  (func $do (param $response i32) (result i32)
    (call $call (global.get $method) (i32.const 4096) (i32.const ${ID_BYTES + request.length}) (local.get $response) (i32.const ${room(options)}) (i32.const 0)))`;
}

/** Bytes for each answer. */
function room({ inFlight }: RedisGuests): number {
  return RESPONSES / inFlight;
}

/** A guest that waits for each call. */
function waitText(options: RedisGuests): string {
  return `(module
  (import "dropthrough_v1" "wait" (func $wait (param i32 i32 i32) (result i32)))
  ${head(options)}
  (func $done (param $word i32) (param $response i32)
    (if (i32.lt_s (local.get $word) (i32.const 0))
      (then (local.set $word (call $wait (i32.and (i32.xor (local.get $word) (i32.const -1)) (i32.const 0xffffff)) (local.get $response) (i32.const ${room(options)})))))
    (if (i32.lt_s (local.get $word) (i32.const 0)) (then unreachable)))
  (func (export "_start") (local $n i32)
    (call $open)
    (loop $round
      (call $done (call $ask) (i32.const 512))
      (local.set $n (i32.load (i32.const 514)))
      (if (i32.lt_s (local.get $n) (i32.const 0)) (then return))
      (block $over
        (loop $again
          (br_if $over (i32.eqz (local.get $n)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (call $done (call $do (i32.const ${RESPONSES})) (i32.const ${RESPONSES}))
          (br $again)))
      (br $round))))`;
}

/** A guest that never waits: `dropthrough_v1_done` brings what is done, and the next call takes its place. */
function loopText(options: RedisGuests): string {
  return `(module ${head(options)}
  (global $left (mut i32) (i32.const 0))
  (global $under (mut i32) (i32.const 0))
  (global $asked (mut i32) (i32.const 0))
  (func $number (param $word i32) (result i32)
    (if (i32.ge_s (local.get $word) (i32.const 0)) (then unreachable))
    (i32.and (i32.xor (local.get $word) (i32.const -1)) (i32.const 0xffffff)))
  (func $next
    (global.set $asked (call $number (call $ask))))
  (func $place (param $call i32) (result i32)
    (i32.add (i32.const ${PLACES}) (i32.shl (i32.and (local.get $call) (i32.const 0xfff)) (i32.const 2))))
  (func $begin (param $response i32)
    (global.set $left (i32.sub (global.get $left) (i32.const 1)))
    (global.set $under (i32.add (global.get $under) (i32.const 1)))
    (i32.store (call $place (call $number (call $do (local.get $response)))) (local.get $response)))
  (func (export "_initialize") (call $open) (call $next))
  (func (export "dropthrough_v1_done") (param $call i32) (param $word i32) (local $i i32)
    (if (i32.lt_s (local.get $word) (i32.const 0)) (then unreachable))
    (if (i32.ne (local.get $call) (global.get $asked)) (then
      (global.set $under (i32.sub (global.get $under) (i32.const 1)))
      (if (i32.gt_s (global.get $left) (i32.const 0))
        (then (call $begin (i32.load (call $place (local.get $call))))))
      (if (i32.eqz (global.get $under)) (then (call $next)))
      (return)))
    (global.set $left (i32.load (i32.const 514)))
    (if (i32.lt_s (global.get $left) (i32.const 0)) (then (return)))
    (if (i32.eqz (global.get $left)) (then (call $next) (return)))
    (block $over
      (loop $again
        (br_if $over (i32.eqz (global.get $left)))
        (br_if $over (i32.eq (local.get $i) (i32.const ${options.inFlight})))
        (call $begin (i32.add (i32.const ${RESPONSES}) (i32.mul (local.get $i) (i32.const ${room(options)}))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $again)))))`;
}
