import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { wireType, writeScalar, writeTag } from "./encode-scalar.ts";
import { localOf, orEmpty, scalarKind } from "./field-kind.ts";
import type { ChildName, SourceText } from "./source-text.ts";

/** Adds a function that writes an entry of a map field, without its tag and length. */
export function writeEntry(
  out: SourceText,
  field: DescField & { fieldKind: "map" },
  child: ChildName,
): void {
  const no = field.number;
  const where = `${field.parent.typeName}.${field.name}`;
  if (field.mapKind === "message") out.add(`let entryWidth${no} = 1;`);
  out.add(
    `function writeEntry${no}(key, value, memory, pos, end) {`,
    `key = ${convertKey(field.mapKey)};`,
  );
  writeTag(out, 1, wireType(field.mapKey));
  writeScalar(out, field.mapKey, "key", where);
  if (field.mapKind === "message") {
    const codec = child(field.message);
    const message =
      localOf(field) === "json" ? "jsonToStruct(value)" : orEmpty(field, codec, "value");
    out.add(`const width = roomForLength(entryWidth${no});`);
    writeTag(out, 2, 2, " + width");
    out.add(
      "const start = pos;",
      `const last = ${codec}.write(${message}, memory, start + width, end);`,
      "if (last < 0) return -1;",
      "pos = closeLength(memory, start, width, last, end);",
      `entryWidth${no} = sink.width;`,
    );
  } else {
    const { type } = scalarKind(field);
    writeTag(out, 2, wireType(type));
    writeScalar(out, type, "value", where);
  }
  out.add("return pos;", "}");
}

/** A key is a property name: what it is on the wire. A name that is no such thing is left to be refused. */
function convertKey(type: ScalarType): string {
  switch (type) {
    case ScalarType.STRING:
      return "key";
    case ScalarType.BOOL:
      return 'key === "true" ? true : key === "false" ? false : key';
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return "key";
    default:
      return "wholeNumber(key)";
  }
}
