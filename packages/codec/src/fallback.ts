import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import { anyInPlaceBytes, InPlaceBytes } from "./bytes-into.ts";
import { CodecError } from "./codec-error.ts";
import type { Codec } from "./codec.ts";
import { checkRange } from "./range.ts";

/** The codec that protobuf-es does the work of: slower, and right everywhere. */
export class FallbackCodec<Desc extends DescMessage> implements Codec<Desc> {
  readonly desc: Desc;
  readonly compiled = false;

  constructor(desc: Desc) {
    this.desc = desc;
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
    if (anyInPlaceBytes()) fillBytes(this.desc, message);
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

/** Puts real arrays where a message holds bytes that are still to be filled: what fill throws stays as it is. */
function fillBytes(desc: DescMessage, message: unknown): void {
  if (!isRecord(message)) return;
  for (const field of desc.fields) fillField(field, message);
}

function fillField(field: DescField, message: Record<string, unknown>): void {
  const child = field.message;
  if (child === undefined && field.scalar !== ScalarType.BYTES) return;
  const [holder, key] =
    field.oneof === undefined
      ? [message, field.localName]
      : [caseOf(message[field.oneof.localName], field.localName), "value"];
  if (holder === undefined) return;
  const value = holder[key];
  if (field.fieldKind !== "list" && field.fieldKind !== "map") fillValue(child, holder, key);
  else if (isRecord(value)) for (const item of Object.keys(value)) fillValue(child, value, item);
}

function fillValue(child: DescMessage | undefined, holder: Record<string, unknown>, key: string) {
  const value = Object.hasOwn(holder, key) ? holder[key] : undefined;
  if (InPlaceBytes.is(value)) holder[key] = InPlaceBytes.own(value);
  else if (child !== undefined) fillBytes(child, value);
}

function caseOf(oneof: unknown, name: string): Record<string, unknown> | undefined {
  return isRecord(oneof) && oneof["case"] === name ? oneof : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
