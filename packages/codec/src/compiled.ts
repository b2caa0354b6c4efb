import type { DescMessage, Message, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { anyInPlaceBytes } from "./bytes-into.ts";
import type { Codec } from "./codec.ts";
import { refused } from "./fallback.ts";
import { LoneBytes } from "./lone-bytes.ts";
import { type MessageCode, messageCode } from "./message-code.ts";
import { checkRange } from "./range.ts";
import { cursor } from "./read-cursor.ts";
import { withScratch } from "./scratch.ts";
import { clean, keepPlaced, sink, withSink } from "./write-sink.ts";

/** The codec that has code of its own for its message type. */
export class CompiledCodec<Desc extends DescMessage> implements Codec<Desc> {
  readonly desc: Desc;
  readonly compiled = true;
  readonly #code: MessageCode;
  readonly #lone: LoneBytes | undefined;

  constructor(desc: Desc) {
    this.desc = desc;
    this.#lone = LoneBytes.of(desc);
    this.#code = messageCode(desc);
  }

  create(init: MessageInitShape<Desc>): MessageShape<Desc> {
    const { $typeName } = (init ?? {}) as Partial<Message>;
    return (
      $typeName === this.desc.typeName ? init : this.#code.create(init)
    ) as MessageShape<Desc>;
  }

  decode(memory: Uint8Array, start: number, end: number): MessageShape<Desc> {
    return this.#read(memory, start, end, false);
  }

  decodeBorrowed(memory: Uint8Array, start: number, end: number): MessageShape<Desc> {
    return this.#read(memory, start, end, true);
  }

  encodeInto(message: MessageShape<Desc>, memory: Uint8Array, start: number, end: number): number {
    checkRange(this.desc.typeName, memory, start, end);
    // Looking for such bytes costs as much as a short message does.
    const lone = anyInPlaceBytes() ? this.#lone?.write(message, memory, start, end) : undefined;
    if (lone !== undefined) return lone < 0 ? -1 : lone - start;
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
    if (sink.busy) return this.#writeWithin(message, memory, start, end, inPlace);
    sink.busy = true;
    sink.inPlace = inPlace;
    try {
      const pos = this.#code.write(message, memory, start, end);
      return pos < 0 ? this.#again(message, memory, start, end) : pos - start;
    } catch (cause) {
      throw sink.threw ? cause : refused("encode", this.desc, cause);
    } finally {
      sink.busy = false;
      if (sink.dirty) clean();
    }
  }

  // Apart: what a function closes over, it allocates each time it is called.
  #writeWithin(
    message: MessageShape<Desc>,
    memory: Uint8Array,
    start: number,
    end: number,
    inPlace: boolean,
  ): number {
    return withSink(() => this.#write(message, memory, start, end, inPlace));
  }

  /** It did not fit: perhaps it does with the least room for lengths. */
  #again(message: MessageShape<Desc>, memory: Uint8Array, start: number, end: number): number {
    keepPlaced(memory);
    if (!sink.wide) return -1;
    sink.narrow = true;
    const pos = this.#code.write(message, memory, start, end);
    keepPlaced(memory);
    return pos < 0 ? -1 : pos - start;
  }
}
