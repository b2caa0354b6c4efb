/**
 * Where a decoder stands, and what it is allowed.
 *
 * ```text
 *  memory  0     start          pos            limit
 *                │ read already │ to be read   │ belongs to others
 * ```
 *
 * Decoding never runs anybody else's code, so that there is one of these for all.
 */
export const cursor = {
  /** Offset of the next byte: what a reader leaves here, its caller takes. */
  pos: 0,
  /** Offset of the first byte of the whole message. */
  start: 0,
  /** Offset after its last byte. */
  limit: 0,
  /** How many messages are open around this one, counting it. */
  depth: 0,
  /** Whether `bytes` fields may be views of the memory. */
  borrow: false,
  /** The halves of the last 64-bit number. */
  lo: 0,
  hi: 0,
};

/** How deep messages may be nested: what protobuf-es allows. */
export const DEPTH = 100;

/** What a decoder finds wrong with the bytes, to be wrapped into a `CodecError` with the name of the message. */
export class WireError extends Error {
  constructor(what: string, at: number) {
    super(`${what} (byte ${at - cursor.start} of ${cursor.limit - cursor.start})`);
  }
}

export function truncated(at: number): never {
  throw new WireError("the bytes end in the middle of a value", at);
}

export function tooDeep(typeName: string, at: number): never {
  throw new WireError(`${typeName} is nested deeper than ${DEPTH} messages`, at);
}

export function badGroupEnd(at: number): never {
  throw new WireError("a group does not end, or another one's end stands there", at);
}

export function badWireType(tag: number, at: number): never {
  throw new WireError(`wire type ${tag & 7} does not exist`, at);
}
