import type { DescMessage } from "@bufbuild/protobuf";
import { cursor, WireError } from "./read-cursor.ts";
import { skip } from "./read-unknown.ts";
import { readEnd, readTag } from "./read-varint.ts";

/** The messages in a message, by the number of their field; those in groups are left out. */
type Shape = ReadonlyMap<number, DescMessage>;

const shapes = new WeakMap<DescMessage, Shape>();

/**
 * How many fields stand in `memory[start, end)`, those of messages in messages too, and each item of a list that is not
 * packed; counting stops after `most`. It makes nothing of what it counts, where a decoder makes an object of each. Bytes
 * that are no message count as far as they can be read: a decoder says what is wrong with them.
 */
export function countFields(
  desc: DescMessage,
  memory: Uint8Array,
  start: number,
  end: number,
  most: number,
): number {
  cursor.start = start;
  cursor.limit = end;
  cursor.depth = 0;
  const count = { fields: 0, most };
  try {
    walk(shapeOf(desc), memory, start, end, count);
  } catch (cause) {
    if (!(cause instanceof WireError || cause instanceof RangeError)) throw cause;
  }
  return count.fields;
}

function walk(
  shape: Shape,
  memory: Uint8Array,
  pos: number,
  end: number,
  count: { fields: number; readonly most: number },
): void {
  while (pos < end) {
    if (++count.fields > count.most) return;
    const tag = readTag(memory, pos, end);
    pos = cursor.pos;
    const child = (tag & 7) === 2 ? shape.get(tag >>> 3) : undefined;
    if (child === undefined) {
      skip(memory, pos, end, tag);
      pos = cursor.pos;
    } else {
      const last = readEnd(memory, pos, end);
      walk(shapeOf(child), memory, cursor.pos, last, count);
      pos = last;
    }
  }
}

function shapeOf(desc: DescMessage): Shape {
  let shape = shapes.get(desc);
  if (shape === undefined) {
    const children = new Map<number, DescMessage>();
    for (const field of desc.fields) {
      // A map's entries are messages of two fields: they count as one each, with a value that is a message left out.
      if (field.fieldKind !== "map" && field.message !== undefined) {
        children.set(field.number, field.message);
      }
    }
    shape = children;
    shapes.set(desc, shape);
  }
  return shape;
}
