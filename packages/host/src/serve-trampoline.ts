/**
 * A module of two calls: the guest's `dropthrough_v1_serve`, then `returned` of the host.
 *
 * A promising export answers a promise even if the guest never suspended, and that promise settles only later. This
 * tells in time that the guest has returned, so the same instance can take the next call at once. It has to be
 * WebAssembly: a JavaScript frame between guest and host could not be suspended.
 *
 * ```wat
 *  (func (export "f") (param i32 i32 i32)
 *    local.get 0  local.get 1  local.get 2  call $serve
 *    call $returned)
 * ```
 */
// prettier-ignore
const BYTES = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x0a, 0x02, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00, 0x60, 0x00, 0x00, // types: (i32 i32 i32) -> (), () -> ()
  0x02, 0x0d, 0x02, 0x01, 0x67, 0x01, 0x66, 0x00, 0x00, 0x01, 0x68, 0x01, 0x72, 0x00, 0x01, // imports g.f, h.r
  0x03, 0x02, 0x01, 0x00, // one function of type 0
  0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x02, // exported as f
  0x0a, 0x0e, 0x01, 0x0c, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0x10, 0x00, 0x10, 0x01, 0x0b,
]);

let module: WebAssembly.Module | undefined;

/** Puts `returned` behind a guest's `serve`. */
export function serveTrampoline(
  serve: WebAssembly.ExportValue,
  returned: () => void,
): WebAssembly.ExportValue {
  module ??= new WebAssembly.Module(BYTES);
  const { exports } = new WebAssembly.Instance(module, { g: { f: serve }, h: { r: returned } });
  const f = exports["f"];
  if (f === undefined) throw new Error("the trampoline exports no f");
  return f;
}
