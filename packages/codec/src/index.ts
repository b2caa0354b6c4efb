import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** Decodes and encodes one message type. */
export interface Codec<Desc extends DescMessage = DescMessage> {
  readonly desc: Desc;
  readonly compiled: boolean;
  decode(memory: Uint8Array, start: number, end: number): MessageShape<Desc>;
  encodeInto(message: MessageShape<Desc>, memory: Uint8Array, start: number, end: number): number;
  encode(message: MessageShape<Desc>): Uint8Array<ArrayBuffer>;
}

/** The codec of a message type. */
export function codecOf<Desc extends DescMessage>(desc: Desc): Codec<Desc> {
  const encode = (message: MessageShape<Desc>): Uint8Array<ArrayBuffer> => toBinary(desc, message);
  return {
    desc,
    compiled: false,
    decode: (memory, start, end) => fromBinary(desc, memory.slice(start, end)),
    encode,
    encodeInto(message, memory, start, end) {
      const bytes = encode(message);
      if (bytes.length > end - start) return -1;
      memory.set(bytes, start);
      return bytes.length;
    },
  };
}
