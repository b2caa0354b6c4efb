import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { scalarKind } from "./field-kind.ts";
import {
  badGroupEnd,
  badWireType,
  cursor,
  DEPTH,
  tooDeep,
  truncated,
  WireError,
} from "./read-cursor.ts";
import { skip } from "./read-unknown.ts";
import { readEnd, readTag, readVarint32 } from "./read-varint.ts";

interface Count {
  fields: number;
  readonly most: number;
  readonly weighed: boolean;
}

/** Goes over the value of a field, whose tag was just read, and counts what is in it; leaves `cursor.pos` after it. */
type Pass = (memory: Uint8Array, pos: number, limit: number, tag: number, count: Count) => void;

/** How a decoder reads the fields of a message, by their numbers. */
interface Shape {
  readonly typeName: string;
  readonly passes: ReadonlyMap<number, Pass>;
}

/** So many fields of a type take as long to make room for as one takes to read. */
const PLACES = 8;

const shapes = new WeakMap<DescMessage, Shape>();

/**
 * How many fields a decoder would read in `memory[start, end)`, those of messages in messages too, and each item of a list that is not
 * packed; counting stops after `most`. It makes nothing of what it counts, where a decoder makes an object of each. Of bytes
 * that a decoder refuses it counts what that would have read before.
 *
 * A decoder reads a field as its type says, whatever the wire type in front of it, and a value may end after the message that it is in.
 * What were counted otherwise could hide any number of fields from the counter.
 *
 * @param weighed a message in it counts 1 more for each 8 fields of its type: a decoder makes room for all of them, whichever are there.
 *   For types that a guest brought
 */
export function countFields(
  desc: DescMessage,
  memory: Uint8Array,
  start: number,
  end: number,
  most: number,
  weighed = false,
): number {
  cursor.start = start;
  cursor.limit = end;
  cursor.depth = 0;
  const count = { fields: 0, most, weighed };
  try {
    walk(shapeOf(desc), memory, start, end, 0, count);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
  }
  return count.fields;
}

/** As `read` of a decoder does it: to `end`, or to the end of a group. */
function walk(
  shape: Shape,
  memory: Uint8Array,
  pos: number,
  end: number,
  group: number,
  count: Count,
): void {
  if (++cursor.depth > DEPTH) tooDeep(shape.typeName, pos);
  const { limit } = cursor;
  while (pos < end && count.fields <= count.most) {
    const tag = readTag(memory, pos, limit);
    pos = cursor.pos;
    if ((tag & 7) === 4 && group !== 0) {
      if (tag >>> 3 !== group) badGroupEnd(pos);
      group = 0;
      break;
    }
    count.fields++;
    passField(shape, memory, pos, limit, tag, count);
    pos = cursor.pos;
  }
  if (group !== 0) badGroupEnd(pos);
  cursor.depth--;
  cursor.pos = pos;
}

function passField(
  shape: Shape,
  memory: Uint8Array,
  pos: number,
  limit: number,
  tag: number,
  count: Count,
): void {
  if ((tag & 7) > 5) badWireType(tag, pos);
  const pass = shape.passes.get(tag >>> 3);
  if (pass === undefined) skip(memory, pos, limit, tag);
  else pass(memory, pos, limit, tag, count);
}

function shapeOf(desc: DescMessage): Shape {
  let shape = shapes.get(desc);
  if (shape === undefined) {
    const { typeName, fields } = desc;
    shape = { typeName, passes: new Map(fields.map((field) => [field.number, passOf(field)])) };
    shapes.set(desc, shape);
  }
  return shape;
}

/** What one more message of a type counts where types are weighed. */
function weightOf(desc: DescMessage | undefined): number {
  return desc === undefined ? 0 : Math.floor(desc.fields.length / PLACES);
}

function passOf(field: DescField): Pass {
  if (field.fieldKind === "map") return passEntry(field);
  if (field.message !== undefined) {
    const delimited = "delimitedEncoding" in field && field.delimitedEncoding;
    return passMessage(field.message, delimited ? field.number : 0, weightOf(field.message));
  }
  const { type } = scalarKind(field);
  return field.fieldKind === "list" ? passItems(type) : passScalar(type);
}

/** @param group the number of the field, where its messages are groups; 0 where they have a length in front */
function passMessage(desc: DescMessage, group: number, weight: number): Pass {
  let shape: Shape | undefined;
  return (memory, pos, limit, _tag, count) => {
    if (count.weighed) count.fields += weight;
    const end = group === 0 ? readEnd(memory, pos, limit) : limit;
    if (group === 0) pos = cursor.pos;
    // Not before it is met: types may be in one another, in circles and a thousand deep.
    walk((shape ??= shapeOf(desc)), memory, pos, end, group, count);
  };
}

/** An entry of a map: a value is made for each, also where none stands in it. */
function passEntry({ message, mapKey, scalar }: DescField & { fieldKind: "map" }): Pass {
  const weight = weightOf(message);
  const value =
    message === undefined ? passScalar(scalar ?? ScalarType.INT32) : passMessage(message, 0, 0);
  const entry: Shape = {
    typeName: "",
    passes: new Map([
      [1, passScalar(mapKey)],
      [2, value],
    ]),
  };
  return (memory, pos, limit, _tag, count) => {
    if (count.weighed) count.fields += weight;
    const end = readEnd(memory, pos, limit);
    pos = cursor.pos;
    // No message of its own: it is not one deeper.
    while (pos < end && count.fields <= count.most) {
      const tag = readTag(memory, pos, limit);
      count.fields++;
      passField(entry, memory, cursor.pos, limit, tag, count);
      pos = cursor.pos;
    }
    cursor.pos = pos;
  };
}

/** Numbers are packed or not, which their tag says. */
function passItems(type: ScalarType): Pass {
  const pass = passScalar(type);
  if (type === ScalarType.STRING || type === ScalarType.BYTES) return pass;
  return (memory, pos, limit, tag, count) => {
    if ((tag & 7) !== 2) return pass(memory, pos, limit, tag, count);
    const end = readEnd(memory, pos, limit);
    pos = cursor.pos;
    while (pos < end) {
      pass(memory, pos, limit, tag, count);
      pos = cursor.pos;
    }
    cursor.pos = pos;
  };
}

function passScalar(type: ScalarType): Pass {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return (memory, pos, limit) => {
        cursor.pos = readEnd(memory, pos, limit);
      };
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return passFixed(8);
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return passFixed(4);
    default:
      // One of 64 bits has as many bytes.
      return readVarint32;
  }
}

function passFixed(bytes: number): Pass {
  return (_memory, pos, limit) => {
    cursor.pos = pos + bytes;
    if (cursor.pos > limit) truncated(pos);
  };
}
