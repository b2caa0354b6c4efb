// How a varint stands in memory: 7 bits a byte, the lowest first, the top bit set on all but the last.
//
//   300 = 0b10_0101100:   pos │ 1 0101100 │ 0 0000010 │
import { cursor, truncated, WireError } from "./read-cursor.ts";

/** A varint of at most 32 bits, unsigned; up to 10 bytes, of which the bits above 32 are dropped. */
export function readVarint32(memory: Uint8Array, pos: number, limit: number): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (pos >= limit) truncated(pos);
    const byte = memory[pos++] as number;
    if (shift < 32) value |= (byte & 127) << shift;
    if (byte < 128) {
      cursor.pos = pos;
      return value >>> 0;
    }
  }
  throw new WireError("a varint has more than 10 bytes", pos);
}

/** A varint of 64 bits, left in `cursor.lo` and `cursor.hi`. */
export function readVarint64(memory: Uint8Array, pos: number, limit: number): void {
  let lo = 0;
  let hi = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (pos >= limit) truncated(pos);
    const byte = memory[pos++] as number;
    const bits = byte & 127;
    if (shift < 28) lo |= bits << shift;
    else if (shift === 28) {
      lo |= bits << 28;
      hi = bits >> 4;
    } else hi |= bits << (shift - 32);
    if (byte < 128) {
      cursor.pos = pos;
      cursor.lo = lo;
      cursor.hi = hi;
      return;
    }
  }
  throw new WireError("a varint has more than 10 bytes", pos);
}

/** The field number and wire type in front of a field, where they take more than one byte. */
export function readTag(memory: Uint8Array, pos: number, limit: number): number {
  const tag = readVarint32(memory, pos, limit);
  const size = cursor.pos - pos;
  if (size > 5 || (size === 5 && (memory[cursor.pos - 1] as number) > 15)) {
    throw new WireError("a field number is out of range", pos);
  }
  return tag;
}

/** A length that takes more than one byte: most often two, or three. */
function readLength(memory: Uint8Array, pos: number, limit: number): number {
  if (pos + 3 > limit) return readVarint32(memory, pos, limit);
  const first = memory[pos] as number;
  const second = memory[pos + 1] as number;
  const length = (first & 127) | ((second & 127) << 7);
  if (second < 128) {
    cursor.pos = pos + 2;
    return length;
  }
  const third = memory[pos + 2] as number;
  if (third > 127) return readVarint32(memory, pos, limit);
  cursor.pos = pos + 3;
  return length | (third << 14);
}

/** The end of the bytes that follow their length at `pos`; leaves `cursor.pos` at their start. */
export function readEnd(memory: Uint8Array, pos: number, limit: number): number {
  let length = pos < limit ? (memory[pos] as number) : 128;
  if (length < 128) cursor.pos = pos + 1;
  else length = readLength(memory, pos, limit);
  const end = cursor.pos + length;
  if (end > limit) truncated(pos);
  return end;
}

export function readBool(memory: Uint8Array, pos: number, limit: number): boolean {
  readVarint64(memory, pos, limit);
  return (cursor.lo | cursor.hi) !== 0;
}
