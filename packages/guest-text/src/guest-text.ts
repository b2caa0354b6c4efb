import { wat } from "./wat.ts";

/**
 * Writes small guests as WebAssembly text.
 *
 * ```text
 *  memory:  0 .. 4095 constants   4096 .. request   8192 .. response
 *  $bound(ptr, len)     binds, traps on a refusal
 *  $finish(word) → word waits if pending
 *  $ok(word)            waits if pending, traps unless the call was OK
 * ```
 */
export class GuestText {
  readonly #data: string[] = [];
  #at = 16;

  /**
   * Puts bytes into memory; answers `(i32.const ptr) (i32.const len)`.
   *
   * @throws RangeError if they would reach into the request
   */
  data(content: string | Uint8Array): string {
    const bytes = Buffer.from(content);
    const at = this.#at;
    this.#at += bytes.length;
    if (this.#at > 4096) throw new RangeError(`the constants take ${this.#at} bytes of 4096`);
    this.#data.push(
      `(data (i32.const ${at}) "${[...bytes].map((b) => `\\${b.toString(16).padStart(2, "0")}`).join("")}")`,
    );
    return `(i32.const ${at}) (i32.const ${bytes.length})`;
  }

  /** Binds a method: an expression that answers its number. */
  bind(name: string): string {
    return `(call $bound ${this.data(name)})`;
  }

  /** Makes a call with a constant request: an expression that answers the result word. */
  call(name: string, request: Uint8Array = new Uint8Array(), timeoutMs = 0): string {
    return `(call $call ${this.bind(name)} ${this.data(request)} (i32.const 8192) (i32.const 4096) (i32.const ${timeoutMs}))`;
  }

  /** A call with a constant request that traps unless it is OK. */
  must(name: string, request: Uint8Array = new Uint8Array()): string {
    return `(drop (call $ok ${this.call(name, request)}))`;
  }

  /** @param waits whether it imports `wait`; if not, what waits traps */
  module(body: string, { waits = true } = {}): Uint8Array<ArrayBuffer> {
    const wait = "(param i32 i32 i32) (result i32)";
    return wat(`(module
      (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
      (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
      ${waits ? `(import "dropthrough_v1" "wait" (func $wait ${wait}))` : ""}
      (import "dropthrough_v1" "read" (func $read (param i32 i32 i32 i32) (result i32)))
      (import "dropthrough_v1" "reply" (func $reply (param i32 i32 i32 i32) (result i32)))
      (import "dropthrough_v1" "release" (func $release (param i32) (result i32)))
      (memory (export "memory") 1)
      ${waits ? "" : `(func $wait ${wait} unreachable)`}
      ${this.#data.join("\n")}
      (func $bound (param i32 i32) (result i32) (local $n i32)
        (local.set $n (call $bind (local.get 0) (local.get 1)))
        (if (i32.lt_s (local.get $n) (i32.const 0)) (then unreachable))
        (local.get $n))
      (func $finish (param $word i32) (result i32)
        (if (result i32)
          (i32.and (i32.lt_s (local.get $word) (i32.const 0))
                   (i32.eq (i32.and (i32.shr_u (i32.xor (local.get $word) (i32.const -1)) (i32.const 24)) (i32.const 3)) (i32.const 2)))
          (then (call $wait (i32.and (i32.xor (local.get $word) (i32.const -1)) (i32.const 0xffffff)) (i32.const 8192) (i32.const 4096)))
          (else (local.get $word))))
      (func $ok (param $word i32) (result i32)
        (local.set $word (call $finish (local.get $word)))
        (if (i32.lt_s (local.get $word) (i32.const 0)) (then unreachable))
        (local.get $word))
      (func $code (param $word i32) (result i32)
        (i32.and (i32.shr_u (i32.xor (local.get $word) (i32.const -1)) (i32.const 26)) (i32.const 31)))
      ${body})`);
  }
}
