import type { DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import type { FieldType } from "./field-type.ts";
import { fieldType } from "./field-type.ts";
import { FIELD_NAMES, NameScope } from "./reserved-names.ts";
import type { SourceText } from "./source-text.ts";

/**
 * How a field is kept in its class:
 * - `map`, `list`: an accessor that is never null;
 * - `message`: a property that is null when it is not set;
 * - `implicit`: a property; its zero value is not sent (proto3 without `optional`);
 * - `explicit`: an accessor, with `hasX` and `clearX()`;
 * - `oneof`: an accessor; the oneof's `xCase` says whether it is set.
 */
export type MemberKind = "map" | "list" | "message" | "implicit" | "explicit" | "oneof";

/** One field of a message class, with all names that it has there. */
export interface Member {
  readonly field: DescField;
  readonly kind: MemberKind;
  readonly type: FieldType;
  /** The property. */
  readonly name: string;
  /** Where an accessor keeps its value; null for a map or list that was never asked for. */
  readonly store: string;
  /** The property that says whether an explicit field is set. */
  readonly has: string;
  /** The method that unsets an explicit field. */
  readonly clear: string;
  /** The value of an unset field, as source. */
  readonly zero: string;
  /** Whether a message without it is malformed. */
  readonly required: boolean;
}

/** One oneof of a message class. */
export interface OneofMember {
  readonly oneof: DescOneof;
  /** The property with the number of the field that is set. */
  readonly name: string;
  /** The method that unsets it. */
  readonly clear: string;
}

/** The members of a message class. */
export interface Members {
  readonly fields: readonly Member[];
  readonly oneofs: ReadonlyMap<DescOneof, OneofMember>;
}

/** Names the members of a message's class. */
export function membersOf(message: DescMessage, source: SourceText): Members {
  const scope = new NameScope(FIELD_NAMES);
  // All fields first: what is derived from them gives way to them.
  const names = message.fields.map((field) => scope.take(field.localName));
  const oneofs = new Map<DescOneof, OneofMember>();
  for (const oneof of message.oneofs) {
    oneofs.set(oneof, {
      oneof,
      name: scope.take(`${oneof.localName}Case`),
      clear: scope.take(`clear${capitalized(oneof.localName)}`),
    });
  }
  const fields = message.fields.map((field, at): Member => {
    const name = names[at] ?? field.localName;
    const kind = kindOf(field);
    const type = fieldType(field, source);
    return {
      field,
      kind,
      type,
      name,
      store: `$${name}`,
      has: kind === "explicit" ? scope.take(`has${capitalized(field.localName)}`) : "",
      clear: kind === "explicit" ? scope.take(`clear${capitalized(field.localName)}`) : "",
      zero: zeroOf(field, type, source),
      required: field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED,
    };
  });
  return { fields, oneofs };
}

function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function kindOf(field: DescField): MemberKind {
  if (field.fieldKind === "map" || field.fieldKind === "list") return field.fieldKind;
  if (field.oneof !== undefined) return "oneof";
  if (field.fieldKind === "message") return "message";
  return field.presence === FeatureSet_FieldPresence.IMPLICIT ? "implicit" : "explicit";
}

/** The zero value, or the default that a proto2 field was given. */
function zeroOf(field: DescField, type: FieldType, source: SourceText): string {
  if (field.fieldKind === "enum") return String(field.getDefaultValue() ?? type.zero);
  if (field.fieldKind !== "scalar") return type.zero;
  const value = field.getDefaultValue();
  if (value === undefined) return type.zero;
  if (value instanceof Uint8Array) {
    if (value.length === 0) return type.zero;
    return `${source.runtime("bytesOf")}([${value.join(", ")}])`;
  }
  if (typeof value === "string" && field.scalar === ScalarType.STRING) return JSON.stringify(value);
  // 64-bit numbers come as bigint or text; the smallest one cannot be written as a literal.
  const text = String(value);
  if (text === "-9223372036854775808") return "i64.MIN_VALUE";
  if (text === "-2147483648") return "i32.MIN_VALUE";
  return text;
}
