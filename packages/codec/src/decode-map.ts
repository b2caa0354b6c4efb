import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { readScalar } from "./decode-scalar.ts";
import { localOf, scalarKind } from "./field-kind.ts";
import type { ChildName, SourceText } from "./source-text.ts";

/**
 * Adds a function that reads an entry of a map field into its record: a message with the key in field 1 and the value
 * in field 2, each of which may be missing, repeated, or in the wrong order.
 */
export function readEntry(
  out: SourceText,
  field: DescField & { fieldKind: "map" },
  child: ChildName,
): void {
  const key = { type: field.mapKey, utf8: scalarKind(field).utf8, longAsString: false };
  out.add(
    `function readEntry${field.number}(record, memory, pos, limit) {`,
    "const end = readEnd(memory, pos, limit);",
    "pos = cursor.pos;",
    "let tag, key, item, value, last;",
    "while (pos < end) {",
    "tag = memory[pos++];",
    "if (tag > 127) {",
    "tag = readTag(memory, pos - 1, limit);",
    "pos = cursor.pos;",
    "}",
    "if ((tag & 7) > 5) badWireType(tag, pos);",
    "switch (tag >>> 3) {",
    "case 1: {",
  );
  readScalar(out, key, (value) => `key = ${value}`);
  out.add("break;", "}", "case 2: {");
  if (field.mapKind === "message") {
    const message = (into: string): string =>
      `${child(field.message)}.read(${into}, memory, cursor.pos, last, 0)`;
    out.add("last = readEnd(memory, pos, limit);");
    if (localOf(field) === "json")
      out.add(`item = structToJson(${message("jsonToStruct(item)")});`);
    else out.add(`item = ${message("item")};`);
    out.add("pos = cursor.pos;");
  } else
    readScalar(out, { ...scalarKind(field), longAsString: false }, (value) => `item = ${value}`);
  out.add(
    "break;",
    "}",
    "default: {",
    "skip(memory, pos, limit, tag);",
    "pos = cursor.pos;",
    "}",
    "}",
    "}",
    `if (key === undefined) key = ${zero(field.mapKey)};`,
    `if (item === undefined) item = ${missing(field, child)};`,
    field.mapKey === ScalarType.STRING ? "setOwn(record, key, item);" : "record[key] = item;",
    "cursor.pos = pos;",
    "}",
  );
}

function missing(field: DescField & { fieldKind: "map" }, child: ChildName): string {
  if (field.mapKind === "enum") return String(field.enum.values[0]?.number ?? 0);
  if (field.mapKind === "scalar") return zero(field.scalar);
  return localOf(field) === "json" ? "{}" : `${child(field.message)}.create()`;
}

function zero(type: ScalarType): string {
  switch (type) {
    case ScalarType.STRING:
      return '""';
    case ScalarType.BOOL:
      return "false";
    case ScalarType.BYTES:
      return "new Uint8Array(0)";
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return "0n";
    default:
      return "0";
  }
}
