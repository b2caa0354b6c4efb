import type { DescMessage } from "@bufbuild/protobuf";
import { cursor, WireError } from "./read-cursor.ts";
import { skip } from "./read-unknown.ts";
import { readEnd, readTag } from "./read-varint.ts";

interface Shape {
  /** The messages in a message, by the number of their field, those that are values of maps too; those in groups are left out. */
  readonly children: ReadonlyMap<number, () => Shape>;
  /** What one more of it counts where types are weighed. */
  readonly weight: number;
}

/** So many fields of a type take as long to make room for as one takes to read. */
const PLACES = 8;

const shapes = new WeakMap<DescMessage, Shape>();

/**
 * How many fields stand in `memory[start, end)`, those of messages in messages too, and each item of a list that is not
 * packed; counting stops after `most`. It makes nothing of what it counts, where a decoder makes an object of each. Bytes
 * that are no message count as far as they can be read: a decoder says what is wrong with them.
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
  count: { fields: number; readonly most: number; readonly weighed: boolean },
): void {
  while (pos < end) {
    if (++count.fields > count.most) return;
    const tag = readTag(memory, pos, end);
    pos = cursor.pos;
    const child = (tag & 7) === 2 ? shape.children.get(tag >>> 3) : undefined;
    if (child === undefined) {
      skip(memory, pos, end, tag);
      pos = cursor.pos;
    } else {
      const last = readEnd(memory, pos, end);
      const inside = child();
      if (count.weighed) count.fields += inside.weight;
      walk(inside, memory, cursor.pos, last, count);
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
      const entry: Shape = { children: new Map([[2, inside]]), weight: 0 };
      children.set(number, fieldKind === "map" ? () => entry : inside);
    }
    shape = { children, weight: Math.floor(desc.fields.length / PLACES) };
    shapes.set(desc, shape);
  }
  return shape;
}
