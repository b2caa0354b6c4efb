import { cursor, truncated } from "./read-cursor.ts";
import { readVarint64 } from "./read-varint.ts";

/** Turns the bytes of one number into it. Aligned, unlike those in memory. */
const word = new DataView(new ArrayBuffer(8));

/** The 64-bit numbers that fit into one byte of a varint: most of those that are met. */
const small: readonly bigint[] = Array.from({ length: 128 }, (_, value) => BigInt(value));

function signed(lo: number, hi: number): bigint {
  word.setInt32(0, lo, true);
  word.setInt32(4, hi, true);
  return word.getBigInt64(0, true);
}

function unsigned(lo: number, hi: number): bigint {
  word.setInt32(0, lo, true);
  word.setInt32(4, hi, true);
  return word.getBigUint64(0, true);
}

export function readInt64(memory: Uint8Array, pos: number, limit: number): bigint {
  const byte = pos < limit ? (memory[pos] as number) : 128;
  if (byte < 128) {
    cursor.pos = pos + 1;
    return small[byte] as bigint;
  }
  readVarint64(memory, pos, limit);
  return signed(cursor.lo, cursor.hi);
}

export function readUint64(memory: Uint8Array, pos: number, limit: number): bigint {
  const byte = pos < limit ? (memory[pos] as number) : 128;
  if (byte < 128) {
    cursor.pos = pos + 1;
    return small[byte] as bigint;
  }
  readVarint64(memory, pos, limit);
  return unsigned(cursor.lo, cursor.hi);
}

/** Zigzag: 0, -1, 1, -2, ... stand as 0, 1, 2, 3, ... */
export function readSint64(memory: Uint8Array, pos: number, limit: number): bigint {
  readVarint64(memory, pos, limit);
  const { lo, hi } = cursor;
  const sign = -(lo & 1);
  return signed(((lo >>> 1) | (hi << 31)) ^ sign, (hi >>> 1) ^ sign);
}

export function readFixed32(memory: Uint8Array, pos: number, limit: number): number {
  return readSfixed32(memory, pos, limit) >>> 0;
}

export function readSfixed32(memory: Uint8Array, pos: number, limit: number): number {
  if (pos + 4 > limit) truncated(pos);
  cursor.pos = pos + 4;
  return (
    (memory[pos] as number) |
    ((memory[pos + 1] as number) << 8) |
    ((memory[pos + 2] as number) << 16) |
    ((memory[pos + 3] as number) << 24)
  );
}

export function readFixed64(memory: Uint8Array, pos: number, limit: number): bigint {
  const lo = readSfixed32(memory, pos, limit);
  return unsigned(lo, readSfixed32(memory, pos + 4, limit));
}

export function readSfixed64(memory: Uint8Array, pos: number, limit: number): bigint {
  const lo = readSfixed32(memory, pos, limit);
  return signed(lo, readSfixed32(memory, pos + 4, limit));
}

export function readFloat(memory: Uint8Array, pos: number, limit: number): number {
  word.setInt32(0, readSfixed32(memory, pos, limit), true);
  return word.getFloat32(0, true);
}

export function readDouble(memory: Uint8Array, pos: number, limit: number): number {
  word.setInt32(0, readSfixed32(memory, pos, limit), true);
  word.setInt32(4, readSfixed32(memory, pos + 4, limit), true);
  return word.getFloat64(0, true);
}
