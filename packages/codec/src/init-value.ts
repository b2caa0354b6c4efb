// What a program may give where a message is expected, turned into what the message has: as protobuf-es's `create` does it.
import type { Message } from "@bufbuild/protobuf";

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An array of numbers stands for bytes; anything else is left to be refused, or taken, when it is encoded. */
export function toBytes(value: unknown): unknown {
  return Array.isArray(value) ? new Uint8Array(value as number[]) : value;
}

/** A message of the type that `code` makes, unless the value is one, or nothing that one can be made of. */
export function toMessage(
  value: unknown,
  typeName: string,
  code: { create(init: object): Message },
): unknown {
  if (!isObject(value) || (value as Partial<Message>).$typeName === typeName) return value;
  return code.create(value);
}
