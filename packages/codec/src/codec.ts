import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

/**
 * Decodes and encodes one message type, in place.
 *
 * ```text
 *  memory   0        start                end            memory.length
 *           │ not read │ one whole message │   not read   │     decode
 *           │ not touched │ message │ free │ not touched  │     encodeInto
 *           0           start  start+answer end     memory.length
 * ```
 */
export interface Codec<Desc extends DescMessage = DescMessage> {
  readonly desc: Desc;

  /** True where this message has code of its own; false where protobuf-es does the work. */
  readonly compiled: boolean;

  /** What protobuf-es's `create` makes of the same values, faster. */
  create(init: MessageInitShape<Desc>): MessageShape<Desc>;

  /**
   * Decodes `memory[start, end)` into an ordinary protobuf-es message that owns its bytes: nothing in it changes when
   * the memory does. Throws {@link CodecError} for bytes that protobuf-es refuses too.
   */
  decode(memory: Uint8Array, start: number, end: number): MessageShape<Desc>;

  /**
   * Like `decode`, but its `bytes` fields may be views of `memory`: they are only valid until the memory changes, which
   * for a handler means while it is synchronous; the next message may be given the same view of the same place. See `lend` for a test that catches who keeps one.
   */
  decodeBorrowed(memory: Uint8Array, start: number, end: number): MessageShape<Desc>;

  /**
   * Encodes into `memory[start, end)` and answers the number of bytes, or -1 if they do not fit: then the bytes in
   * `[start, end)` may be anything. Nothing outside is touched. Throws {@link CodecError} for a message that
   * protobuf-es cannot encode either, and whatever a {@link bytesInto} throws.
   */
  encodeInto(message: MessageShape<Desc>, memory: Uint8Array, start: number, end: number): number;

  /** Encodes into an array of exactly the right size, which nobody else writes to. Throws as `encodeInto` does. */
  encode(message: MessageShape<Desc>): Uint8Array<ArrayBuffer>;
}

/** How a codec is made. */
export interface CodecOptions {
  /**
   * Whether to generate code for the message. Default: where the platform allows code generation from strings (a
   * browser's Content-Security-Policy or `--disallow-code-generation-from-strings` may not). False leaves everything
   * to protobuf-es.
   */
  readonly compile?: boolean;
}
