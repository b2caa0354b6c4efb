import { copyBytes } from "./read-bytes.ts";
import { badGroupEnd, badWireType, cursor, DEPTH, truncated, WireError } from "./read-cursor.ts";
import { readEnd, readTag } from "./read-varint.ts";

/** A field that the descriptor does not have, as protobuf-es keeps it in `$unknown`. */
export interface UnknownField {
  readonly no: number;
  readonly wireType: number;
  readonly data: Uint8Array;
}

/** Adds the field whose tag was just read to `unknown`, which is made when it is the first. */
export function readUnknown(
  unknown: UnknownField[] | undefined,
  memory: Uint8Array,
  pos: number,
  limit: number,
  tag: number,
): UnknownField[] {
  skip(memory, pos, limit, tag);
  const data = copyBytes(memory, pos, cursor.pos);
  const field: UnknownField = { no: tag >>> 3, wireType: tag & 7, data };
  if (unknown === undefined) return [field];
  unknown.push(field);
  return unknown;
}

/** A value that a closed enum does not have, as the varint that it was. */
export function unknownEnum(no: number, wireType: number, value: number): UnknownField {
  const data: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) {
      data.push(Number(rest));
      return { no, wireType, data: Uint8Array.from(data) };
    }
    data.push(Number(rest & 127n) | 128);
  }
}

/** Leaves `cursor.pos` after the value of the field whose tag was just read. */
export function skip(memory: Uint8Array, pos: number, limit: number, tag: number): void {
  if (tag < 8) throw new WireError("field number 0", pos);
  skipValue(memory, pos, limit, tag, DEPTH - cursor.depth);
}

function skipValue(
  memory: Uint8Array,
  pos: number,
  limit: number,
  tag: number,
  depth: number,
): void {
  switch (tag & 7) {
    case 0:
      // As long as it likes to be, like protobuf-es.
      while (pos < limit && (memory[pos] as number) > 127) pos++;
      cursor.pos = pos + 1;
      break;
    case 1:
      cursor.pos = pos + 8;
      break;
    case 2:
      cursor.pos = readEnd(memory, pos, limit);
      break;
    case 3:
      return skipGroup(memory, pos, limit, tag >>> 3, depth);
    case 5:
      cursor.pos = pos + 4;
      break;
    case 4:
      return badGroupEnd(pos);
    default:
      return badWireType(tag, pos);
  }
  if (cursor.pos > limit) truncated(pos);
}

function skipGroup(
  memory: Uint8Array,
  pos: number,
  limit: number,
  group: number,
  depth: number,
): void {
  if (depth <= 0) throw new WireError(`groups are nested deeper than ${DEPTH}`, pos);
  for (;;) {
    const tag = readTag(memory, pos, limit);
    pos = cursor.pos;
    if (tag < 8) throw new WireError("field number 0", pos);
    if ((tag & 7) === 4) {
      if (tag >>> 3 !== group) badGroupEnd(pos);
      return;
    }
    skipValue(memory, pos, limit, tag, depth - 1);
    pos = cursor.pos;
  }
}
