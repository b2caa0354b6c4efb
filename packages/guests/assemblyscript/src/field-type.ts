import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import type { SourceText } from "./source-text.ts";

/** What a value of a field is in AssemblyScript and on the wire. */
export interface FieldType {
  /** The AssemblyScript type. */
  readonly type: string;
  /** The method of Reader and Writer; "message" for messages. */
  readonly method: string;
  /** The wire type: 0 varint, 1 64 bits, 2 length-delimited, 3 group, 5 32 bits. */
  readonly wire: number;
  /** The zero value, as source; for messages "null". */
  readonly zero: string;
  /** An enum whose unknown values are unknown fields. */
  readonly closed: DescEnum | undefined;
  /** The message, for messages. */
  readonly message: DescMessage | undefined;
}

const SCALARS: Record<
  ScalarType,
  readonly [type: string, method: string, wire: number, zero: string]
> = {
  [ScalarType.DOUBLE]: ["f64", "double", 1, "0"],
  [ScalarType.FLOAT]: ["f32", "float", 5, "0"],
  [ScalarType.INT64]: ["i64", "int64", 0, "0"],
  [ScalarType.UINT64]: ["u64", "uint64", 0, "0"],
  [ScalarType.INT32]: ["i32", "int32", 0, "0"],
  [ScalarType.FIXED64]: ["u64", "fixed64", 1, "0"],
  [ScalarType.FIXED32]: ["u32", "fixed32", 5, "0"],
  [ScalarType.BOOL]: ["bool", "bool", 0, "false"],
  [ScalarType.STRING]: ["string", "string", 2, '""'],
  [ScalarType.BYTES]: ["Uint8Array", "bytes", 2, "EMPTY"],
  [ScalarType.UINT32]: ["u32", "uint32", 0, "0"],
  [ScalarType.SFIXED32]: ["i32", "sfixed32", 5, "0"],
  [ScalarType.SFIXED64]: ["i64", "sfixed64", 1, "0"],
  [ScalarType.SINT32]: ["i32", "sint32", 0, "0"],
  [ScalarType.SINT64]: ["i64", "sint64", 0, "0"],
};

/** The type of a scalar. */
export function scalarType(scalar: ScalarType, source: SourceText): FieldType {
  const [type, method, wire, zero] = SCALARS[scalar];
  return {
    type,
    method,
    wire,
    zero: zero === "EMPTY" ? source.runtime("EMPTY") : zero,
    closed: undefined,
    message: undefined,
  };
}

/** The type of a field's value, of a list's elements, or of a map's values. */
export function fieldType(field: DescField, source: SourceText): FieldType {
  if (field.message !== undefined) {
    const wire = field.fieldKind !== "map" && field.delimitedEncoding ? 3 : 2;
    const type = source.type(field.message);
    return {
      type,
      method: "message",
      wire,
      zero: "null",
      closed: undefined,
      message: field.message,
    };
  }
  if (field.enum !== undefined) {
    const closed = field.enum.open ? undefined : field.enum;
    // An enum without a value 0 (proto2) starts at its first value.
    const zero = String(field.enum.values[0]?.number ?? 0);
    return { type: "i32", method: "int32", wire: 0, zero, closed, message: undefined };
  }
  return scalarType(field.scalar, source);
}

/** A field's tag for a wire type. */
export function tagOf(number: number, wire: number): number {
  return ((number << 3) | wire) >>> 0;
}
