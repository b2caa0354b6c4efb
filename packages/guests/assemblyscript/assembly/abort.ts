// What a guest's own bug ends in: `throw`, a failed `assert`, an index out of range, no memory left.
//
// This module is pulled in by `--use abort=`, before the garbage collector is initialised: it must have
// no managed initialisers, import nothing, and allocate nothing.

// A static block of memory, so that no allocation is needed when something is wrong already.
const CAPACITY: i32 = 512;

/**
 * Where the message of the abort stands: a byte offset, fixed for the module.
 *
 * ```
 * dropthrough_v1_abort_ptr          + dropthrough_v1_abort_len
 * │ U T F - 8   t e x t ,   n o   z e r o   a t   t h e   e n d │ ... 512 bytes at most
 * ```
 */
export const dropthrough_v1_abort_ptr: usize = memory.data(512);

/** How many bytes the message has; 0 as long as the guest has not aborted. */
export let dropthrough_v1_abort_len: i32 = 0;

/** Appends one byte where there is room. */
function put(byte: u32): void {
  if (dropthrough_v1_abort_len >= CAPACITY) return;
  store<u8>(dropthrough_v1_abort_ptr + dropthrough_v1_abort_len, <u8>byte);
  dropthrough_v1_abort_len += 1;
}

/** Appends a string as UTF-8, leaving `room` bytes for what follows; a lone surrogate becomes "?". */
function putString(text: string, room: i32): void {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    if (dropthrough_v1_abort_len > CAPACITY - room - 4) return;
    let c = <u32>load<u16>(changetype<usize>(text) + ((<usize>i) << 1));
    if (c >= 0xd800 && c <= 0xdfff) {
      const low =
        i + 1 < length ? <u32>load<u16>(changetype<usize>(text) + ((<usize>(i + 1)) << 1)) : 0;
      if (c < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        i++;
      } else {
        c = 63;
      }
    }
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put((c >> 6) | 0xc0);
      put((c & 63) | 0x80);
    } else if (c < 0x10000) {
      put((c >> 12) | 0xe0);
      put(((c >> 6) & 63) | 0x80);
      put((c & 63) | 0x80);
    } else {
      put((c >> 18) | 0xf0);
      put(((c >> 12) & 63) | 0x80);
      put(((c >> 6) & 63) | 0x80);
      put((c & 63) | 0x80);
    }
  }
}

/** Appends a decimal number. */
function putNumber(value: u32): void {
  if (value >= 10) putNumber(value / 10);
  put(48 + (value % 10));
}

/**
 * Writes "<message> at <file>:<line>:<column>" where the host finds it, and traps.
 *
 * The compiler calls it in place of AssemblyScript's own `abort`.
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  dropthrough_v1_abort_len = 0;
  if (message) putString(message, 128);
  else putString("abort", 128);
  putString(" at ", 96);
  if (file) putString(file, 32);
  else putString("?", 32);
  put(58);
  putNumber(line);
  put(58);
  putNumber(column);
  unreachable();
}
