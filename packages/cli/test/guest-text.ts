import { wat } from "./wat.ts";

/**
 * Writes small guests as WebAssembly text. Every call of theirs must be answered OK, else they trap.
 *
 * ```text
 *  memory:  0 .. 4095 constants   4096 .. an incoming request   8192 .. a response
 * ```
 */
export class GuestText {
  readonly #data: string[] = [];
  #at = 16;

  /** Puts bytes into memory; answers `(i32.const ptr) (i32.const len)`. */
  #constant(content: string | Uint8Array): string {
    const bytes = Buffer.from(content);
    const at = this.#at;
    this.#at += bytes.length;
    this.#data.push(
      `(data (i32.const ${at}) "${[...bytes].map((b) => `\\${b.toString(16).padStart(2, "0")}`).join("")}")`,
    );
    return `(i32.const ${at}) (i32.const ${bytes.length})`;
  }

  /** Binds a method and drops its number, as for one that is served. */
  bind(name: string): string {
    return `(drop (call $bind ${this.#constant(name)}))`;
  }

  /** A call, waited for. */
  call(name: string, request: Uint8Array = new Uint8Array()): string {
    return `(drop (call $ok (call $bind ${this.#constant(name)}) ${this.#constant(request)}))`;
  }

  /** A call whose result is not looked at. */
  start(name: string, request: Uint8Array = new Uint8Array()): string {
    return `(drop (call $call (call $bind ${this.#constant(name)}) ${this.#constant(request)}
      (i32.const 8192) (i32.const 4096) (i32.const 0)))`;
  }

  /** The body of `dropthrough_v1_serve` that passes every request on, and its answer back. */
  passOn(name: string): string {
    return `(drop (call $read (local.get 0) (i32.const 0) (i32.const 4096) (local.get 2)))
      (drop (call $reply (local.get 0) (i32.const 0) (i32.const 8192)
        (call $ok (call $bind ${this.#constant(name)}) (i32.const 4096) (local.get 2))))`;
  }

  module(body: string): Uint8Array<ArrayBuffer> {
    return wat(`(module
      (import "dropthrough_v1" "bind" (func $bind (param i32 i32) (result i32)))
      (import "dropthrough_v1" "call" (func $call (param i32 i32 i32 i32 i32 i32) (result i32)))
      (import "dropthrough_v1" "wait" (func $wait (param i32 i32 i32) (result i32)))
      (import "dropthrough_v1" "read" (func $read (param i32 i32 i32 i32) (result i32)))
      (import "dropthrough_v1" "reply" (func $reply (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      ${this.#data.join("\n")}
      (func $ok (param $method i32) (param $ptr i32) (param $len i32) (result i32) (local $word i32)
        (local.set $word (call $call (local.get $method) (local.get $ptr) (local.get $len)
          (i32.const 8192) (i32.const 4096) (i32.const 0)))
        (if (i32.and (i32.lt_s (local.get $word) (i32.const 0))
                     (i32.eq (i32.and (i32.shr_u (i32.xor (local.get $word) (i32.const -1)) (i32.const 24)) (i32.const 3))
                             (i32.const 2)))
          (then (local.set $word (call $wait
            (i32.and (i32.xor (local.get $word) (i32.const -1)) (i32.const 0xffffff)) (i32.const 8192) (i32.const 4096)))))
        (if (i32.lt_s (local.get $word) (i32.const 0)) (then unreachable))
        (local.get $word))
      ${body})`);
  }
}
