import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { writeEntry } from "./encode-map.ts";
import { wireType, writeScalar, writeTag } from "./encode-scalar.ts";
import {
  IMPLICIT,
  localOf,
  type MessageField,
  orEmpty,
  REQUIRED,
  scalarKind,
} from "./field-kind.ts";
import {
  type ChildName,
  type CodecSource,
  codecSource,
  collectChildren,
  constant,
  literal,
  property,
  SourceText,
} from "./source-text.ts";

/**
 * The source of an encoder: `write()` answers where the message ends, or -1 if it does not fit.
 *
 * ```text
 *  memory   pos                          the answer       end
 *           │ tag │ value │ tag │ value │ ... free ...    │
 *           every write asks first whether it ends at `end` or before
 * ```
 */
export function encodeSource(desc: DescMessage): CodecSource {
  const { children, child } = collectChildren();
  const body = new SourceText();
  const fields = desc.fields.toSorted((a, b) => a.number - b.number);
  for (const field of fields) {
    if (hasLength(field)) body.add(`let width${field.number} = 1;`);
    if (field.fieldKind === "map") writeEntry(body, field, child);
  }
  body.add(
    "function write(message, memory, pos, end) {",
    ...(fields.length === 0
      ? []
      : [
          `if (message.$typeName !== ${literal(desc.typeName)}) foreign(message, ${literal(desc.typeName)});`,
        ]),
    ...(fields.some(mayInherit)
      ? ["const plain = Object.getPrototypeOf(message) === Object.prototype;"]
      : []),
    "let value, items, start, width, last;",
  );
  for (const field of fields) writeField(body, field, child);
  body.add(
    "value = message.$unknown;",
    "if (value !== undefined) pos = writeUnknown(memory, pos, end, value);",
    "return pos;",
    "}",
    "return { write };",
  );
  return codecSource(`Encodes ${literal(desc.typeName)}`, children, body);
}

/** Whether its length is known only after it was written. */
function hasLength(field: DescField): boolean {
  if (field.fieldKind === "map") return true;
  if (field.message !== undefined)
    return !(field as MessageField & { delimitedEncoding: boolean }).delimitedEncoding;
  return field.fieldKind === "list" && field.packed;
}

function writeField(out: SourceText, field: DescField, child: ChildName): void {
  out.add(`// ${field.number}: ${literal(field.name)}`);
  if (field.fieldKind === "list") return writeList(out, field, child);
  if (field.fieldKind === "map") return writeMap(out, field);
  const presence: number = field.presence;
  writePresence(out, field, presence);
  if (field.fieldKind === "message") writeChild(out, field, child, "value");
  else writeValue(out, field);
  out.add("}");
  if (presence === REQUIRED) out.add(`else unset(${literal(where(field))});`);
}

/** Opens the block for a field that is set, with its value in `value`. */
function writePresence(
  out: SourceText,
  field: DescField & { fieldKind: "message" | "scalar" | "enum" },
  presence: number,
): void {
  const name = literal(field.localName);
  if (field.oneof !== undefined) {
    out.add(
      `value = ${property("message", field.oneof.localName)};`,
      `if (value.case === ${name}) {`,
      "value = value.value;",
    );
    return;
  }
  out.add(`value = ${property("message", field.localName)};`);
  // The prototype has the defaults of fields with presence: only what the message itself has counts.
  if (presence === IMPLICIT) out.add(`if (${notZero(field)}) {`);
  else out.add(`if (value !== undefined && ${isOwn(field)}) {`);
}

/** Whether a field is set if the message has it, and not its prototype. */
function mayInherit(field: DescField): boolean {
  const presence: number = field.presence;
  const singular = field.fieldKind !== "list" && field.fieldKind !== "map";
  return singular && field.oneof === undefined && presence !== IMPLICIT;
}

/**
 * Whether a field that has a value has it itself, as protobuf-es asks. An ordinary object inherits none but the names
 * that every object has.
 */
function isOwn(field: DescField): string {
  const name = field.localName;
  const owns = `Object.hasOwn(message, ${literal(name)})`;
  return name in Object.prototype ? owns : `(plain || ${owns})`;
}

/** What protobuf-es takes for not the zero value. */
function notZero(field: DescField): string {
  if (field.fieldKind === "enum") return `value !== ${constant(field.enum.values[0]?.number ?? 0)}`;
  switch (field.scalar) {
    case ScalarType.BOOL:
      return "value !== false";
    case ScalarType.STRING:
      return 'value !== ""';
    case ScalarType.BYTES:
      // Who asks for the length of bytes that are to be filled in place, has them filled: nothing else is no view.
      return "!ArrayBuffer.isView(value) || value.byteLength > 0 || !(value instanceof Uint8Array)";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return "!Object.is(value, 0)";
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
    case ScalarType.SINT64:
      return 'typeof value === "bigint" ? value !== 0n : value != 0';
    default:
      return "value != 0";
  }
}

function writeValue(out: SourceText, field: DescField): void {
  const { type } = scalarKind(field);
  writeTag(out, field.number, wireType(type));
  writeScalar(out, type, "value", where(field));
}

/** What an error calls a field. */
function where(field: DescField): string {
  return `${field.parent.typeName}.${field.name}`;
}

function writeChild(out: SourceText, field: MessageField, child: ChildName, value: string): void {
  const codec = child(field.message);
  const local = localOf(field);
  if (local === "json") value = `jsonToStruct(${value})`;
  if (local === "wrapped") {
    out.add(`items = ${codec}.create();`, `if (${value} !== undefined) items.value = ${value};`);
    value = "items";
  }
  if (local === "message") value = orEmpty(field, codec, value);
  if ("delimitedEncoding" in field && field.delimitedEncoding) {
    writeTag(out, field.number, 3);
    out.add(`pos = ${codec}.write(${value}, memory, pos, end);`, "if (pos < 0) return -1;");
    writeTag(out, field.number, 4);
    return;
  }
  writeLength(out, field.number, `${codec}.write(${value}, memory, start + width, end)`);
}

/** Adds a tag, a length, and what has that length. */
function writeLength(out: SourceText, no: number, write: string): void {
  out.add(`width = roomForLength(width${no});`);
  writeTag(out, no, 2, " + width");
  out.add("start = pos;", `last = ${write};`, "if (last < 0) return -1;", ...closing(no));
}

/** Writes the length between `start` and `last`; sets `pos` to the end. */
function closing(no: number): readonly string[] {
  return [
    "if (width === 1 && last - start < 129) {",
    "memory[start] = last - start - 1;",
    "pos = last;",
    "} else {",
    "pos = closeLength(memory, start, width, last, end);",
    "if (pos < 0) return -1;",
    `width${no} = sink.width;`,
    "}",
  ];
}

function writeList(
  out: SourceText,
  field: DescField & { fieldKind: "list" },
  child: ChildName,
): void {
  // A list of wrapped or JSON values uses `items` no more than any other: it has a name of its own.
  out.add(`const list${field.number} = ${property("message", field.localName)};`);
  const list = `list${field.number}`;
  const loop = `for (let at = 0; at < ${list}.length; at++) {`;
  if (field.listKind === "message") {
    out.add(loop);
    writeChild(out, field, child, `${list}[at]`);
    out.add("}");
    return;
  }
  const { type } = scalarKind(field);
  if (!field.packed) {
    out.add(loop, `value = ${list}[at];`);
    writeValue(out, field);
    out.add("}");
    return;
  }
  out.add(`if (${list}.length != 0) {`, `width = roomForLength(width${field.number});`);
  writeTag(out, field.number, 2, " + width");
  out.add("start = pos;", "pos += width;", loop, `value = ${list}[at];`);
  writeScalar(out, type, "value", where(field));
  out.add("}", "last = pos;", ...closing(field.number), "}");
}

function writeMap(out: SourceText, field: DescField & { fieldKind: "map" }): void {
  out.add(
    `items = ${property("message", field.localName)};`,
    "for (const key of Object.keys(items)) {",
  );
  writeLength(
    out,
    field.number,
    `writeEntry${field.number}(key, items[key], memory, start + width, end)`,
  );
  out.add("}");
}
