import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Codec } from "./codec.ts";

/** A message whose `bytes` fields are borrowed. */
export interface Lent<Message> extends Disposable {
  readonly message: Message;
}

/**
 * For tests: what `decodeBorrowed` answers, until it is disposed of. Then its bytes read 0xDB, whatever the memory has
 * there, so that a handler that keeps borrowed bytes is caught.
 *
 * ```ts
 * using lent = lend(codec, memory, start, end);
 * handler(lent.message);
 * ```
 */
export function lend<Desc extends DescMessage>(
  codec: Codec<Desc>,
  memory: Uint8Array,
  start: number,
  end: number,
): Lent<MessageShape<Desc>> {
  const copy = memory.slice(start, end);
  return {
    message: codec.decodeBorrowed(copy, 0, copy.length),
    [Symbol.dispose]: () => void copy.fill(0xdb),
  };
}
