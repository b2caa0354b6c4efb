import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

/** A field whose values are messages, or a list or map of them. */
export type MessageField = DescField & { readonly message: DescMessage };

/** How protobuf-es keeps the value of a message field: as the message, or as something handier. */
export type Local = "message" | "wrapped" | "json";

const wrappers: ReadonlySet<string> = new Set(
  ["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"].map(
    (name) => `google.protobuf.${name}Value`,
  ),
);

export function localOf(field: MessageField): Local {
  const { message } = field;
  if (message.typeName === "google.protobuf.Struct") {
    return field.parent.typeName === "google.protobuf.Value" ? "message" : "json";
  }
  const singular = field.fieldKind === "message" && field.oneof === undefined;
  return singular && isWrapper(message) ? "wrapped" : "message";
}

function isWrapper({ typeName, fields: [field] }: DescMessage): boolean {
  if (!wrappers.has(typeName) || field === undefined) return false;
  return field.fieldKind === "scalar" && field.name === "value" && field.number === 1;
}

/** Whether a wrapper is one of bytes. */
export function wrapsBytes({ fields: [field] }: DescMessage): boolean {
  return field?.scalar === ScalarType.BYTES;
}

/** As protobuf-es has it: where a list, a map or a oneof must have a message, undefined is an empty one. */
export function orEmpty(field: MessageField, codec: string, value: string): string {
  const isSet = field.fieldKind === "message" && field.oneof === undefined;
  return isSet ? value : `${value} === undefined ? ${codec}.create() : ${value}`;
}

/** `FeatureSet.FieldPresence` of a descriptor, as numbers. */
export const IMPLICIT = 2;
export const REQUIRED = 3;

/** What decides how the value of a field stands on the wire and in a message. */
export interface ScalarKind {
  readonly type: ScalarType;
  /** Whether invalid UTF-8 is refused. */
  readonly utf8: boolean;
  /** Whether a 64-bit integer is a string in the message (`jstype = JS_STRING`). */
  readonly longAsString: boolean;
}

/** Of a field of scalars or enums (which are int32), or a list or map of them. */
export function scalarKind(field: DescField): ScalarKind {
  const utf8 = "utf8Validation" in field && field.utf8Validation;
  const longAsString = "longAsString" in field && field.longAsString;
  return { type: field.scalar ?? ScalarType.INT32, utf8, longAsString };
}
