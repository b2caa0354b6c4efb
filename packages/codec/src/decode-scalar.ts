import { ScalarType } from "@bufbuild/protobuf";
import type { ScalarKind } from "./field-kind.ts";
import type { SourceText } from "./source-text.ts";

/** The reader of each type that has one; the others are read in line, most of the time as one byte. */
const readers: { readonly [type in ScalarType]?: string } = {
  [ScalarType.DOUBLE]: "readDouble",
  [ScalarType.FLOAT]: "readFloat",
  [ScalarType.INT64]: "readInt64",
  [ScalarType.UINT64]: "readUint64",
  [ScalarType.FIXED64]: "readFixed64",
  [ScalarType.FIXED32]: "readFixed32",
  [ScalarType.STRING]: "readString",
  [ScalarType.BYTES]: "readBytes",
  [ScalarType.SFIXED32]: "readSfixed32",
  [ScalarType.SFIXED64]: "readSfixed64",
  [ScalarType.SINT64]: "readSint64",
};

/** Adds the code that reads one value at `pos`, stores it, and leaves `pos` after it. */
export function readScalar(
  out: SourceText,
  { type, utf8, longAsString }: ScalarKind,
  store: (value: string) => string,
): void {
  const reader = type === ScalarType.STRING && !utf8 ? "readLossyString" : readers[type];
  if (reader !== undefined) {
    const value = `${reader}(memory, pos, limit)`;
    out.add(`${store(longAsString ? `String(${value})` : value)};`, "pos = cursor.pos;");
    return;
  }
  const [inLine, longer, local] = varint(type);
  out.add(
    `if (pos < limit && memory[pos] < 128) value = memory[pos++]${inLine};`,
    "else {",
    `value = ${longer};`,
    "pos = cursor.pos;",
    "}",
    `${store(local)};`,
  );
}

/** What follows one byte, what reads more, and what turns `value` into the field's. */
function varint(type: ScalarType): readonly [string, string, string] {
  const number = "readVarint32(memory, pos, limit)";
  if (type === ScalarType.BOOL) return [" !== 0", "readBool(memory, pos, limit)", "value"];
  if (type === ScalarType.UINT32) return ["", number, "value"];
  if (type === ScalarType.SINT32) return ["", number, "(value >>> 1) ^ -(value & 1)"];
  return ["", `${number} | 0`, "value"];
}
