import { promising } from "./suspension.ts";

/**
 * A module of two calls: an export of a guest, then `returned` of the host.
 *
 * A promising export answers a promise even if the guest never suspended, and that promise settles only later. This
 * tells in time that the guest has returned, so the same instance can take the next call at once. It has to be
 * WebAssembly: a JavaScript frame between guest and host could not be suspended. There is one instance of it for all
 * guests, which are found by their seats in its table.
 *
 * ```wat
 *  (table (export "t") 0 funcref)
 *  (func (export "0") (param $seat i32)
 *    local.get 0  call_indirect (type 0)  call $returned)
 *  (func (export "3") (param i32 i32 i32) (param $seat i32)
 *    local.get 0  local.get 1  local.get 2  local.get 3  call_indirect (type 2)  call $returned)
 * ```
 */
function bytes(): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: number[]): number[] => [id, content.length, ...content];
  const type = (parameters: number): number[] => [
    0x60,
    parameters,
    ...Array<number>(parameters).fill(0x7f),
    0,
  ];
  const code = (parameters: number, guest: number): number[] => {
    const gets = Array.from({ length: parameters + 1 }, (_, i) => [0x20, i]).flat();
    const body = [0, ...gets, 0x11, guest, 0, 0x10, 0, 0x0b];
    return [body.length, ...body];
  };
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from([
    ...magicAndVersion,
    ...section(1, [4, ...type(0), ...type(1), ...type(3), ...type(4)]),
    ...section(2, [1, 1, 0x68, 1, 0x72, 0, 0]), // h.r, the host's `returned`
    ...section(3, [2, 1, 3]), // two functions: one that takes a seat, one that takes three i32 and a seat
    ...section(4, [1, 0x70, 0, 0]), // a table of functions, empty
    ...section(7, [3, 1, 0x74, 1, 0, 1, 0x30, 0, 1, 1, 0x33, 0, 2]), // t, 0 and 3
    ...section(10, [2, ...code(0, 0), ...code(3, 2)]),
  ]);
}

interface Trampoline {
  readonly table: WebAssembly.Table;
  readonly none: (seat: number) => unknown;
  readonly three: (a: number, b: number, c: number, seat: number) => unknown;
}

let trampoline: Trampoline | undefined;
const free: number[] = [];
let returned = false;

function make(): Trampoline {
  const module = new WebAssembly.Module(bytes());
  const { exports } = new WebAssembly.Instance(module, { h: { r: () => void (returned = true) } });
  return {
    table: exports["t"] as WebAssembly.Table,
    none: promising(exports["0"]),
    three: promising(exports["3"]),
  };
}

/** An export of a guest that may be suspended on its way. It has a seat until it is given up. */
export interface Seat {
  /** Runs the export: answers a promise. */
  readonly run: (a?: number, b?: number, c?: number) => unknown;
  /** The seat is free for the next guest; a run that is suspended goes on. */
  leave(): void;
}

/** Seats an export that takes no parameters, or three i32, and answers nothing. */
export function takeSeat(guest: WebAssembly.ExportValue, parameters: 0 | 3): Seat {
  const { table, none, three } = (trampoline ??= make());
  const seat = free.pop() ?? table.grow(1);
  table.set(seat, guest);
  return {
    run: parameters === 0 ? () => none(seat) : (a = 0, b = 0, c = 0) => three(a, b, c, seat),
    leave() {
      table.set(seat, null);
      free.push(seat);
    },
  };
}

/**
 * Whether a seated export has returned since this was last asked. Ask before it is run, and after: what is entered from
 * within it has been asked about by then.
 */
export function askReturned(): boolean {
  const was = returned;
  returned = false;
  return was;
}
