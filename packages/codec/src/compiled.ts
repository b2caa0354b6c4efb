import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { InPlaceBytes } from "./bytes-into.ts";
import type { Codec } from "./codec.ts";
import { refused } from "./fallback.ts";
import { type MessageCode, messageCode } from "./message-code.ts";
import { checkRange } from "./range.ts";
import { copyBytes } from "./read-bytes.ts";
import { cursor } from "./read-cursor.ts";
import { withScratch } from "./scratch.ts";
import { sink } from "./write-sink.ts";

/** The codec that has code of its own for its message type. */
export class CompiledCodec<Desc extends DescMessage> implements Codec<Desc> {
  readonly desc: Desc;
  readonly compiled = true;
  readonly #code: MessageCode;

  constructor(desc: Desc) {
    this.desc = desc;
    this.#code = messageCode(desc);
  }

  decode(memory: Uint8Array, start: number, end: number): MessageShape<Desc> {
    return this.#read(memory, start, end, false);
  }

  decodeBorrowed(memory: Uint8Array, start: number, end: number): MessageShape<Desc> {
    return this.#read(memory, start, end, true);
  }

  encodeInto(message: MessageShape<Desc>, memory: Uint8Array, start: number, end: number): number {
    checkRange(this.desc.typeName, memory, start, end);
    return this.#write(message, memory, start, end, true);
  }

  encode(message: MessageShape<Desc>): Uint8Array<ArrayBuffer> {
    return withScratch((scratch) => this.#write(message, scratch, 0, scratch.length, false));
  }

  #read(memory: Uint8Array, start: number, end: number, borrow: boolean): MessageShape<Desc> {
    checkRange(this.desc.typeName, memory, start, end);
    cursor.start = start;
    cursor.limit = end;
    cursor.depth = 0;
    cursor.borrow = borrow;
    try {
      return this.#code.read(undefined, memory, start, end, 0) as MessageShape<Desc>;
    } catch (cause) {
      throw refused("decode", this.desc, cause);
    }
  }

  #write(
    message: MessageShape<Desc>,
    memory: Uint8Array,
    start: number,
    end: number,
    inPlace: boolean,
  ): number {
    // A message that is written while another one is filled has a sink of its own.
    const outer = sink.busy ? { ...sink, placed: [...sink.placed] } : undefined;
    sink.busy = true;
    sink.inPlace = inPlace;
    sink.narrow = false;
    sink.wide = false;
    sink.threw = false;
    if (outer !== undefined) sink.placed = [];
    try {
      let pos = this.#code.write(message, memory, start, end);
      if (pos < 0 && sink.wide) {
        keepPlaced(memory);
        sink.narrow = true;
        pos = this.#code.write(message, memory, start, end);
      }
      if (pos < 0) keepPlaced(memory);
      return pos < 0 ? -1 : pos - start;
    } catch (cause) {
      throw sink.threw ? cause : refused("encode", this.desc, cause);
    } finally {
      sink.placed.length = 0;
      sink.busy = false;
      if (outer !== undefined) Object.assign(sink, outer);
    }
  }
}

/** Takes back what was filled in a place that is given up: nobody fills it a second time. */
function keepPlaced(memory: Uint8Array): void {
  for (const { value, at, length } of sink.placed) {
    InPlaceBytes.keep(value, copyBytes(memory, at, at + length));
  }
  sink.placed.length = 0;
}
