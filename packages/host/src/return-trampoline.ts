/**
 * A module of two calls: an export of the guest, then `returned` of the host.
 *
 * A promising export answers a promise even if the guest never suspended, and that promise settles only later. This
 * tells in time that the guest has returned, so the same instance can take the next call at once. It has to be
 * WebAssembly: a JavaScript frame between guest and host could not be suspended.
 *
 * ```wat
 *  (func (export "f") (param i32 i32 i32)
 *    local.get 0  local.get 1  local.get 2  call $guest
 *    call $returned)
 * ```
 */
function bytes(parameters: number): Uint8Array<ArrayBuffer> {
  const types = [2, 0x60, parameters, ...Array<number>(parameters).fill(0x7f), 0, 0x60, 0, 0];
  const gets = Array.from({ length: parameters }, (_, i) => [0x20, i]).flat();
  const code = [0, ...gets, 0x10, 0, 0x10, 1, 0x0b];
  const section = (id: number, content: number[]): number[] => [id, content.length, ...content];
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from([
    ...magicAndVersion,
    ...section(1, types), // (i32 ...) -> (), and () -> ()
    ...section(2, [2, 1, 0x67, 1, 0x66, 0, 0, 1, 0x68, 1, 0x72, 0, 1]), // g.f and h.r
    ...section(3, [1, 0]), // one function of the first type
    ...section(7, [1, 1, 0x66, 0, 2]), // exported as f
    ...section(10, [1, code.length, ...code]),
  ]);
}

const modules = new Map<number, WebAssembly.Module>();

/** Puts `returned` behind an export of a guest that takes so many i32 and answers nothing. */
export function returnTrampoline(
  guest: WebAssembly.ExportValue,
  parameters: number,
  returned: () => void,
): WebAssembly.ExportValue {
  let module = modules.get(parameters);
  if (module === undefined)
    modules.set(parameters, (module = new WebAssembly.Module(bytes(parameters))));
  const { exports } = new WebAssembly.Instance(module, { g: { f: guest }, h: { r: returned } });
  const f = exports["f"];
  if (f === undefined) throw new Error("the trampoline exports no f");
  return f;
}
