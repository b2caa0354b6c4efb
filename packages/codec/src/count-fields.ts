import type { DescMessage } from "@bufbuild/protobuf";
import { cursor, WireError } from "./read-cursor.ts";
import { skip } from "./read-unknown.ts";
import { readEnd, readTag } from "./read-varint.ts";

/** The messages in a message, by the number of their field, those that are values of maps too; those in groups are left out. */
type Shape = ReadonlyMap<number, () => Shape>;

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
      walk(child(), memory, cursor.pos, last, count);
      pos = last;
    }
  }
}

function shapeOf(desc: DescMessage): Shape {
  let shape = shapes.get(desc);
  if (shape === undefined) {
    const children = new Map<number, () => Shape>();
    for (const { number, fieldKind, message } of desc.fields) {
      if (message === undefined) continue;
      const inside = (): Shape => shapeOf(message);
      // An entry of a map is a message whose second field is the value.
      const entry: Shape = new Map([[2, inside]]);
      children.set(number, fieldKind === "map" ? () => entry : inside);
    }
    shape = children;
    shapes.set(desc, shape);
  }
  return shape;
}
