import { instantiate } from "@wapc/host";
import type { Sample } from "../case.ts";
import { clocked, echoGuest, type Glue, REQUEST, RESPONSE } from "./echo-guest.ts";

/** waPC names every call by three strings, copies the bytes out, and has the guest fetch the answer in two steps. */
const glue = (size: number): Glue => ({
  imports: `
    (import "wapc" "__host_call" (func $host (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wapc" "__host_response_len" (func $length (result i32)))
    (import "wapc" "__host_response" (func $response (param i32)))
    (import "wapc" "__guest_request" (func $request (param i32 i32)))
    (import "wapc" "__guest_response" (func $answer (param i32 i32)))`,
  data: `(data (i32.const 1024) "bench") (data (i32.const 1040) "echo")`,
  echo: `
    (if (i32.eqz (call $host
        (i32.const 1024) (i32.const 5) (i32.const 1040) (i32.const 4) (i32.const 1040) (i32.const 4)
        (i32.const ${REQUEST}) (i32.const ${size})))
      (then unreachable))
    (if (i32.ne (call $length) (i32.const ${size})) (then unreachable))
    (call $response (i32.const ${RESPONSE}))`,
  exports: `
    (func (export "__guest_call") (param i32 i32) (result i32)
      (call $request (i32.const 1056) (i32.const 1072))
      (call $run (i32.load (i32.const 1072)))
      (call $answer (i32.const 1072) (i32.const 4))
      (i32.const 1))`,
});

/** Echoes from a guest of waPC. */
export async function wapcEcho(size: number): Promise<Sample> {
  const host = await instantiate(
    echoGuest(size, glue(size)),
    (_binding, _namespace, _operation, payload) => payload,
  );
  return async (times) => {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(times);
    return clocked(async () => host.invoke("run", count));
  };
}
