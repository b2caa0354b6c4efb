import { ScalarType } from "@bufbuild/protobuf";
import { literal, type SourceText } from "./source-text.ts";

const writers: { readonly [type in Exclude<ScalarType, ScalarType.BOOL>]: string } = {
  [ScalarType.DOUBLE]: "writeDouble",
  [ScalarType.FLOAT]: "writeFloat",
  [ScalarType.INT64]: "writeInt64",
  [ScalarType.UINT64]: "writeUint64",
  [ScalarType.INT32]: "writeInt32",
  [ScalarType.FIXED64]: "writeFixed64",
  [ScalarType.FIXED32]: "writeFixed32",
  [ScalarType.STRING]: "writeString",
  [ScalarType.BYTES]: "writeBytes",
  [ScalarType.UINT32]: "writeUint32",
  [ScalarType.SFIXED32]: "writeSfixed32",
  [ScalarType.SFIXED64]: "writeSfixed64",
  [ScalarType.SINT32]: "writeSint32",
  [ScalarType.SINT64]: "writeSint64",
};

/** The wire type of a type: 0 varint, 1 eight bytes, 2 a length first, 5 four bytes. */
export function wireType(type: ScalarType): 0 | 1 | 2 | 5 {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return 2;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 1;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return 5;
    default:
      return 0;
  }
}

/** Adds code that writes a field number and wire type, if `more` bytes fit after it too. */
export function writeTag(out: SourceText, no: number, wire: number, more = ""): void {
  const bytes: number[] = [];
  for (let rest = ((no << 3) | wire) >>> 0; ; rest >>>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest < 128) break;
  }
  out.add(`if (pos + ${bytes.length}${more} > end) return -1;`);
  for (const byte of bytes) out.add(`memory[pos++] = ${byte};`);
}

/** Adds code that writes `value`, of the field that errors shall name, after its tag. */
export function writeScalar(out: SourceText, type: ScalarType, value: string, where: string): void {
  if (type === ScalarType.BOOL) {
    out.add("if (pos >= end) return -1;", `memory[pos++] = ${value} ? 1 : 0;`);
    return;
  }
  const write = `if ((pos = ${writers[type]}(memory, pos, end, ${value}, ${literal(where)})) < 0) return -1;`;
  if (type !== ScalarType.INT32 && type !== ScalarType.UINT32) {
    out.add(write);
    return;
  }
  // Most numbers are whole, and take one byte.
  out.add(
    `if ((${value} & 127) === ${value} && pos < end) memory[pos++] = ${value};`,
    `else ${write}`,
  );
}
