/**
 * Protobuf messages decoded straight out of guest memory, and encoded straight into it.
 *
 * @module
 */
import type { DescMessage } from "@bufbuild/protobuf";
import type { Codec, CodecOptions } from "./codec.ts";
import { CompiledCodec } from "./compiled.ts";
import { FallbackCodec } from "./fallback.ts";
import { canGenerate } from "./message-code.ts";

export { bytesAt, bytesInto } from "./bytes-into.ts";
export { CodecError } from "./codec-error.ts";
export type { Codec, CodecOptions } from "./codec.ts";
export { countFields } from "./count-fields.ts";
export { fillBytes } from "./fill-bytes.ts";
export { type Lent, lend } from "./lend.ts";
export { sourceOf } from "./message-code.ts";

const compiled = new WeakMap<DescMessage, Codec>();
const fallbacks = new WeakMap<DescMessage, Codec>();

/** The codec of a message type: always the same one for the same descriptor and options. */
export function codecOf<Desc extends DescMessage>(
  desc: Desc,
  options: CodecOptions = {},
): Codec<Desc> {
  const compile = options.compile !== false && canGenerate();
  const codecs = compile ? compiled : fallbacks;
  let codec = codecs.get(desc);
  if (codec === undefined) {
    codec = compile ? new CompiledCodec<DescMessage>(desc) : new FallbackCodec<DescMessage>(desc);
    codecs.set(desc, codec);
  }
  return codec as unknown as Codec<Desc>;
}
