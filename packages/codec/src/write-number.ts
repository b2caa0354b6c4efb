// Numbers are checked as strictly, and as leniently, as protobuf-es checks them: a string of digits is a number.
import { writeVarint32, writeVarint64 } from "./write-varint.ts";

/** Turns one number into its bytes. */
const word = new DataView(new ArrayBuffer(8));
const wordBytes = new Uint8Array(word.buffer);

/** Refuses the value of a field. */
export function unfit(where: string, expected: string, value: unknown): never {
  throw new TypeError(`${where}: expected ${expected}, got ${show(value)}`);
}

function show(value: unknown): string {
  switch (typeof value) {
    case "object":
    case "function":
      return value === null ? "null" : typeof value;
    case "string":
      return `"${value.slice(0, 40)}"`;
    default:
      return String(value);
  }
}

function int32(value: unknown, where: string): number {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && (number | 0) === number) return number;
  return unfit(where, "a whole number from -2147483648 to 2147483647", value);
}

function uint32(value: unknown, where: string): number {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && number >>> 0 === number) return number;
  return unfit(where, "a whole number from 0 to 4294967295", value);
}

/** Leaves the value in `word`. */
function int64(value: unknown, where: string): void {
  const number = typeof value === "bigint" ? value : toBigInt(value);
  if (number === undefined || BigInt.asIntN(64, number) !== number) {
    unfit(where, "a bigint from -2^63 to 2^63 - 1", value);
  }
  word.setBigInt64(0, number, true);
}

function uint64(value: unknown, where: string): void {
  const number = typeof value === "bigint" ? value : toBigInt(value);
  if (number === undefined || BigInt.asUintN(64, number) !== number) {
    unfit(where, "a bigint from 0 to 2^64 - 1", value);
  }
  word.setBigUint64(0, number, true);
}

function toBigInt(value: unknown): bigint | undefined {
  try {
    return BigInt(value as number);
  } catch {
    return undefined;
  }
}

export function writeInt32(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  const number = int32(value, where);
  if (number >= 0) return writeVarint32(memory, pos, end, number);
  return writeVarint64(memory, pos, end, number, -1);
}

export function writeUint32(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  return writeVarint32(memory, pos, end, uint32(value, where));
}

export function writeSint32(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  const number = int32(value, where);
  return writeVarint32(memory, pos, end, ((number << 1) ^ (number >> 31)) >>> 0);
}

export function writeInt64(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  int64(value, where);
  return writeVarint64(memory, pos, end, word.getInt32(0, true), word.getInt32(4, true));
}

export function writeUint64(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  uint64(value, where);
  return writeVarint64(memory, pos, end, word.getInt32(0, true), word.getInt32(4, true));
}

export function writeSint64(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  int64(value, where);
  const lo = word.getInt32(0, true);
  const hi = word.getInt32(4, true);
  const sign = hi >> 31;
  return writeVarint64(memory, pos, end, (lo << 1) ^ sign, ((hi << 1) | (lo >>> 31)) ^ sign);
}

export function writeFixed32(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  word.setUint32(0, uint32(value, where), true);
  return writeWord(memory, pos, end, 4);
}

export function writeSfixed32(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  word.setInt32(0, int32(value, where), true);
  return writeWord(memory, pos, end, 4);
}

export function writeFixed64(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  uint64(value, where);
  return writeWord(memory, pos, end, 8);
}

export function writeSfixed64(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  int64(value, where);
  return writeWord(memory, pos, end, 8);
}

export function writeFloat(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  const number = typeof value === "string" ? Number(value) : value;
  const ok =
    typeof number === "number" &&
    (Number.isFinite(Math.fround(number)) || !Number.isFinite(number));
  if (!ok || (Number.isNaN(number) && typeof value === "string" && value !== "NaN")) {
    return unfit(where, "a number in the range of a 32-bit float", value);
  }
  word.setFloat32(0, number, true);
  return writeWord(memory, pos, end, 4);
}

export function writeDouble(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  if (typeof value === "bigint" || typeof value === "symbol")
    return unfit(where, "a number", value);
  word.setFloat64(0, value as number, true);
  return writeWord(memory, pos, end, 8);
}

function writeWord(memory: Uint8Array, pos: number, end: number, size: 4 | 8): number {
  if (pos + size > end) return -1;
  memory[pos] = wordBytes[0] as number;
  memory[pos + 1] = wordBytes[1] as number;
  memory[pos + 2] = wordBytes[2] as number;
  memory[pos + 3] = wordBytes[3] as number;
  if (size === 8) {
    memory[pos + 4] = wordBytes[4] as number;
    memory[pos + 5] = wordBytes[5] as number;
    memory[pos + 6] = wordBytes[6] as number;
    memory[pos + 7] = wordBytes[7] as number;
  }
  return pos + size;
}
