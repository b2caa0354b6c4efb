import { EXIT_PANIC, EXIT_TRAP, Unwind } from "./guest-exit.ts";

/** How a guest ended that ran into an error: with its own last words, or the engine's. */
export function crashOf(error: unknown, exports: WebAssembly.Exports): Unwind {
  const panic = readPanic(exports);
  if (panic !== undefined) return new Unwind(EXIT_PANIC, panic);
  return new Unwind(EXIT_TRAP, error instanceof Error ? error.message : String(error));
}

/**
 * The message that a guest left when its language aborted: UTF-8 at the addresses in two exported globals.
 *
 * ```text
 *  (global (export "dropthrough_v1_abort_ptr") (mut i32))   where the message begins, in bytes
 *  (global (export "dropthrough_v1_abort_len") (mut i32))   its length in bytes; 0: the guest did not abort
 * ```
 */
function readPanic(exports: WebAssembly.Exports): string | undefined {
  const { memory, dropthrough_v1_abort_ptr: ptr, dropthrough_v1_abort_len: len } = exports;
  if (
    !(
      memory instanceof WebAssembly.Memory &&
      ptr instanceof WebAssembly.Global &&
      len instanceof WebAssembly.Global
    )
  ) {
    return undefined;
  }
  const [at, length] = [readI32(ptr) >>> 0, Math.min(readI32(len) >>> 0, 4096)];
  if (length === 0 || at + length > memory.buffer.byteLength) return undefined;
  return new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
}

/** What an i32 global holds; 0 of any other type, some of which JavaScript cannot even look at. */
function readI32(global: WebAssembly.Global): number {
  try {
    const { value } = global as { value: unknown };
    return typeof value === "number" ? value : 0;
  } catch {
    return 0;
  }
}
