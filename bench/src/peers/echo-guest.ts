import { wat } from "../loop-guest.ts";

/**
 * The one guest of all peers: `run` echoes so many times through the host, and checks what comes back. What differs is
 * the glue: how the peer's ABI carries bytes from guest to host and back.
 *
 * ```text
 *  memory   1024 names, results   4096 ── request, SIZE bytes ──   135168 ── response ──
 * ```
 */
export interface Glue {
  readonly imports: string;
  /** Instructions that send SIZE bytes at REQUEST, and put as many at RESPONSE. They may use the locals $i, $len (i32), $a and $b (i64). */
  readonly echo: string;
  /** What the peer calls the guest by. */
  readonly exports: string;
  /** Data segments. */
  readonly data?: string;
}

export const REQUEST = 4096;
export const RESPONSE = 135_168;

/** Assembles the guest for a peer. */
export function echoGuest(size: number, glue: Glue): Uint8Array<ArrayBuffer> {
  return wat(`(module
    ${glue.imports}
    (memory (export "memory") 8)
    ${glue.data ?? ""}
    (func $echo (local $i i32) (local $len i32) (local $a i64) (local $b i64)
      ${glue.echo})
    (func $run (param $n i32)
      (loop $again
        (i32.store8 (i32.const ${REQUEST + size - 1}) (local.get $n))
        (call $echo)
        (if (i32.ne (i32.load8_u (i32.const ${RESPONSE + size - 1})) (i32.and (local.get $n) (i32.const 255)))
          (then unreachable))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    ${glue.exports})`);
}

/** How long something takes, in nanoseconds. */
export async function clocked(run: () => unknown): Promise<number> {
  const start = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - start);
}
