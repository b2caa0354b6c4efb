import { InPlaceBytes } from "./bytes-into.ts";
import type { UnknownField } from "./read-unknown.ts";
import { unfit } from "./write-number.ts";
import { closeLength, sink, varintSize } from "./write-sink.ts";
import { writeVarint32 } from "./write-varint.ts";

/** Up to here a loop is faster than `set`. */
const SHORT = 12;

/** Bytes and their length in front, or -1 if they do not fit. */
export function writeBytes(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  if (!ArrayBuffer.isView(value)) return writeInPlace(memory, pos, end, value, where);
  const bytes = value as Uint8Array;
  if (bytes.BYTES_PER_ELEMENT !== 1) return unfit(where, "a Uint8Array", value);
  const { length } = bytes;
  pos = writeVarint32(memory, pos, end, length);
  return pos < 0 ? -1 : writeRaw(memory, pos, end, bytes, length);
}

function writeRaw(
  memory: Uint8Array,
  pos: number,
  end: number,
  bytes: ArrayLike<number>,
  length: number,
): number {
  if (pos + length > end) return -1;
  if (length > SHORT) memory.set(bytes, pos);
  else for (let at = 0; at < length; at++) memory[pos + at] = bytes[at] as number;
  return pos + length;
}

/**
 * ```text
 *  memory   pos      start                        start + most         end
 *           │ length │ what fill writes │ not used │ ... free ...       │
 * ```
 */
function writeInPlace(
  memory: Uint8Array,
  pos: number,
  end: number,
  value: unknown,
  where: string,
): number {
  if (!InPlaceBytes.is(value)) return unfit(where, "a Uint8Array", value);
  const most = InPlaceBytes.most(value);
  const width = varintSize(most);
  const start = pos + width;
  // Before anything is filled: what is filled once cannot be filled again.
  if (start + most > end) return -1;
  let length: number;
  try {
    if (!sink.inPlace) InPlaceBytes.own(value);
    length = InPlaceBytes.into(value, memory, start);
  } catch (thrown) {
    sink.dirty = sink.threw = true;
    throw thrown;
  }
  if (memory.length < end)
    unfit(where, "the memory to stay where it is while it is filled", "a new one");
  if (sink.inPlace) {
    sink.dirty = true;
    sink.placed = InPlaceBytes.placed(value, start, length, sink.placed);
  }
  return closeLength(memory, pos, width, start + length, end);
}

/** The fields that the descriptor does not have, as they came. */
export function writeUnknown(
  memory: Uint8Array,
  pos: number,
  end: number,
  fields: readonly UnknownField[],
): number {
  for (const { no, wireType, data } of fields) {
    pos = writeVarint32(memory, pos, end, ((no << 3) | wireType) >>> 0);
    if (pos < 0) return -1;
    pos = writeRaw(memory, pos, end, data, data.length);
    if (pos < 0) return -1;
  }
  return pos;
}
