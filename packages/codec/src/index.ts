/**
 * Protobuf messages decoded straight out of guest memory, and encoded straight into it.
 *
 * @module
 */
import type { DescMessage } from "@bufbuild/protobuf";
import type { Codec, CodecOptions } from "./codec.ts";
import { FallbackCodec } from "./fallback.ts";

export { bytesInto } from "./bytes-into.ts";
export { CodecError } from "./codec-error.ts";
export type { Codec, CodecOptions } from "./codec.ts";

const codecs = new WeakMap<DescMessage, Codec>();

/** The codec of a message type: always the same one for the same descriptor. */
export function codecOf<Desc extends DescMessage>(
  desc: Desc,
  _options: CodecOptions = {},
): Codec<Desc> {
  let codec = codecs.get(desc);
  if (codec === undefined) {
    codec = new FallbackCodec<DescMessage>(desc);
    codecs.set(desc, codec);
  }
  return codec as unknown as Codec<Desc>;
}
