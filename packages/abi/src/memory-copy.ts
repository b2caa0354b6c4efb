/** Copies `length` bytes from `from` in one memory to `to` in another; both ranges were checked. */
export type MemoryCopy = (to: number, from: number, length: number) => void;

/**
 * A module that copies between two memories, without JavaScript that would have to make a view of each:
 *
 * ```wat
 *  (import "m" "a" (memory 0)) (import "m" "b" (memory 0))
 *  (func (export "f") (param i32 i32 i32)
 *    local.get 0  local.get 1  local.get 2  memory.copy 1 0)   ;; from a to b
 * ```
 */
const BYTES = Uint8Array.from(
  [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
    [1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0], // (i32 i32 i32) -> ()
    [2, 15, 2, 1, 0x6d, 1, 0x61, 2, 0, 0, 1, 0x6d, 1, 0x62, 2, 0, 0], // m.a and m.b
    [3, 2, 1, 0], // one function of that type
    [7, 5, 1, 1, 0x66, 0, 0], // exported as f
    [10, 14, 1, 12, 0, 0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 0x0a, 1, 0, 0x0b],
  ].flat(),
);

/** Null where the engine knows one memory a module only. */
let module: WebAssembly.Module | null | undefined;

/** Makes the copier of two memories; it holds both. Undefined where the engine cannot. */
export function memoryCopy(a: WebAssembly.Memory, b: WebAssembly.Memory): MemoryCopy | undefined {
  if (module === undefined)
    module = WebAssembly.validate(BYTES) ? new WebAssembly.Module(BYTES) : null;
  if (module === null) return undefined;
  return new WebAssembly.Instance(module, { m: { a, b } }).exports["f"] as MemoryCopy;
}
