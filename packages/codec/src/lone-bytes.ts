import { type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { InPlaceBytes } from "./bytes-into.ts";
import { CodecError } from "./codec-error.ts";
import type { UnknownField } from "./read-unknown.ts";
import { varintSize } from "./write-sink.ts";
import { writeVarint32 } from "./write-varint.ts";

/**
 * A message that is nothing but one `bytes` field, such as what was read from a file. Where it stands for bytes that are to be filled in place,
 * it is written here: nothing can come behind them, so nothing need be remembered of where they are.
 *
 * ```text
 *  memory   at    at + 1     at + 1 + width            end
 *           │ tag │ length   │ what fill wrote │ free  │
 * ```
 */
export class LoneBytes {
  readonly #typeName: string;
  readonly #name: string;
  readonly #tag: number;

  private constructor(typeName: string, name: string, number: number) {
    this.#typeName = typeName;
    this.#name = name;
    this.#tag = (number << 3) | 2;
  }

  static of(desc: DescMessage): LoneBytes | undefined {
    const [field, ...others] = desc.fields;
    if (field?.fieldKind !== "scalar" || field.scalar !== ScalarType.BYTES || others.length > 0)
      return undefined;
    // A field number above 15 has a tag of two bytes.
    const plain = field.presence === FeatureSet_FieldPresence.IMPLICIT && field.number < 16;
    return plain ? new LoneBytes(desc.typeName, field.localName, field.number) : undefined;
  }

  /** Where the message ends, -1 if it does not fit, or undefined if it is none of these. */
  write(message: Message, memory: Uint8Array, at: number, end: number): number | undefined {
    const { $unknown, $typeName } = message as Message & Fields;
    const value = (message as Message & Fields)[this.#name];
    if (!InPlaceBytes.is(value) || $unknown !== undefined || $typeName !== this.#typeName)
      return undefined;
    const most = InPlaceBytes.most(value);
    const width = varintSize(most);
    const start = at + 1 + width;
    // Before anything is filled: what is filled once cannot be filled again.
    if (start + most > end) return -1;
    const length = InPlaceBytes.into(value, memory, start);
    if (memory.length < end) {
      const what = `${this.#typeName}.${this.#name}: expected the memory to stay where it is while it is filled`;
      throw new CodecError(this.#typeName, what);
    }
    memory[at] = this.#tag;
    const needed = varintSize(length);
    if (needed !== width) memory.copyWithin(at + 1 + needed, start, start + length);
    writeVarint32(memory, at + 1, end, length);
    return at + 1 + needed + length;
  }
}

interface Fields {
  readonly $unknown?: readonly UnknownField[];
  readonly [name: string]: unknown;
}
