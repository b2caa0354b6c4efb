import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodecError } from "./codec-error.ts";
import type { Codec } from "./codec.ts";
import { fillBytes } from "./fill-bytes.ts";
import { checkRange } from "./range.ts";

/** The codec that protobuf-es does the work of: slower, and right everywhere. */
export class FallbackCodec<Desc extends DescMessage> implements Codec<Desc> {
  readonly desc: Desc;
  readonly compiled = false;

  constructor(desc: Desc) {
    this.desc = desc;
  }

  create(init: MessageInitShape<Desc>): MessageShape<Desc> {
    return create(this.desc, init);
  }

  decode(memory: Uint8Array, start: number, end: number): MessageShape<Desc> {
    checkRange(this.desc.typeName, memory, start, end);
    // protobuf-es answers views of what it reads: they shall be views of a copy.
    const copy = new Uint8Array(end - start);
    copy.set(memory.subarray(start, end));
    return this.#read(copy);
  }

  decodeBorrowed(memory: Uint8Array, start: number, end: number): MessageShape<Desc> {
    checkRange(this.desc.typeName, memory, start, end);
    return this.#read(memory.subarray(start, end));
  }

  encodeInto(message: MessageShape<Desc>, memory: Uint8Array, start: number, end: number): number {
    checkRange(this.desc.typeName, memory, start, end);
    const bytes = this.encode(message);
    if (bytes.length > end - start) return -1;
    memory.set(bytes, start);
    return bytes.length;
  }

  encode(message: MessageShape<Desc>): Uint8Array<ArrayBuffer> {
    fillBytes(this.desc, message);
    try {
      return toBinary(this.desc, message);
    } catch (cause) {
      throw refused("encode", this.desc, cause);
    }
  }

  #read(bytes: Uint8Array): MessageShape<Desc> {
    try {
      return fromBinary(this.desc, bytes);
    } catch (cause) {
      throw refused("decode", this.desc, cause);
    }
  }
}

/** What protobuf-es threw, as an error of ours. */
export function refused(verb: "decode" | "encode", desc: DescMessage, cause: unknown): CodecError {
  if (cause instanceof CodecError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CodecError(desc.typeName, `cannot ${verb} ${desc.typeName}: ${why}`, { cause });
}
