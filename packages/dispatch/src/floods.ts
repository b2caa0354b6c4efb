import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

/** A request of many empty values of one field, and the numbers of the fields that lead there. */
export interface Flood {
  readonly path: string;
  readonly request: Uint8Array;
}

/** How deep messages are looked into. */
const DEEP = 2;

/**
 * Requests that hold so many empty values each: of every field of a message that holds a message, text or bytes, of those
 * in it, and of one that is not there. For tests of `maxFields`.
 */
export function* floods(desc: DescMessage, count: number): Generator<Flood> {
  for (const path of [...paths(desc, []), [NOT_THERE]]) {
    yield { path: path.join("."), request: flood(path, count) };
  }
}

const NOT_THERE = 1_000;

function paths(desc: DescMessage, above: readonly number[]): (readonly number[])[] {
  return desc.fields.filter(hasLength).flatMap((field) => {
    const path = [...above, field.number];
    const { message } = field;
    return message === undefined || path.length === DEEP ? [path] : [path, ...paths(message, path)];
  });
}

function hasLength(field: DescField): boolean {
  return (
    field.message !== undefined ||
    field.scalar === ScalarType.STRING ||
    field.scalar === ScalarType.BYTES
  );
}

function flood([number = 0, ...below]: readonly number[], count: number): Uint8Array {
  const tag = varint(number * 8 + 2);
  if (below.length === 0) {
    const one = Uint8Array.of(...tag, 0);
    const all = new Uint8Array(one.length * count);
    for (let at = 0; at < all.length; at += one.length) all.set(one, at);
    return all;
  }
  const inside = flood(below, count);
  const head = [...tag, ...varint(inside.length)];
  const all = new Uint8Array(head.length + inside.length);
  all.set(head);
  all.set(inside, head.length);
  return all;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}
