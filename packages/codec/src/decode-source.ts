import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { readEntry } from "./decode-map.ts";
import { readScalar } from "./decode-scalar.ts";
import { localOf, type MessageField, scalarKind } from "./field-kind.ts";
import {
  type ChildName,
  type CodecSource,
  codecSource,
  collectChildren,
  literal,
  property,
  SourceText,
} from "./source-text.ts";

/**
 * The source of a decoder: `read()` reads into a message, an empty one if it is given none.
 *
 * ```text
 *  memory   pos                            end          limit
 *           │ tag │ value │ tag │ value │...│            │
 *             └─▶ switch (field number): one case per field, all else goes to $unknown
 * ```
 */
export function decodeSource(desc: DescMessage): CodecSource {
  const { children, child } = collectChildren();
  const body = new SourceText();
  for (const field of desc.fields) if (field.fieldKind === "map") readEntry(body, field, child);
  writeRead(body, desc, child);
  body.add("return { read };");
  return codecSource(`Decodes ${literal(desc.typeName)}`, children, body);
}

function writeRead(out: SourceText, desc: DescMessage, child: ChildName): void {
  out.add(
    "function read(message, memory, pos, end, group) {",
    `if (++cursor.depth > DEPTH) tooDeep(${literal(desc.typeName)}, pos);`,
    "const limit = cursor.limit;",
    "let tag, value, last, items, unknown;",
    "if (message === undefined) message = new Message();",
    "else unknown = message.$unknown;",
    "while (pos < end) {",
    "tag = memory[pos++];",
    "if (tag > 127) {",
    "tag = readTag(memory, pos - 1, limit);",
    "pos = cursor.pos;",
    "}",
    "if ((tag & 7) > 3) {",
    "if ((tag & 7) > 5) badWireType(tag, pos);",
    "if ((tag & 7) === 4 && group !== 0) {",
    "if (tag >>> 3 !== group) badGroupEnd(pos);",
    "group = 0;",
    "break;",
    "}",
    "}",
    "switch (tag >>> 3) {",
  );
  for (const field of desc.fields) {
    out.add(`case ${field.number}: {`);
    readField(out, field, child);
    out.add("break;", "}");
  }
  out.add(
    "default: {",
    "unknown = readUnknown(unknown, memory, pos, limit, tag);",
    "pos = cursor.pos;",
    "}",
    "}",
    "}",
    "if (group !== 0) badGroupEnd(pos);",
    "if (unknown !== undefined && unknown.length > 0) message.$unknown = unknown;",
    "cursor.depth--;",
    "cursor.pos = pos;",
    "return message;",
    "}",
  );
}

function readField(out: SourceText, field: DescField, child: ChildName): void {
  switch (field.fieldKind) {
    case "scalar":
      return readScalar(out, scalarKind(field), (value) => set(field, value));
    case "enum":
      return readEnum(out, field);
    case "message":
      return readMessage(out, field, child);
    case "map":
      out.add(
        `readEntry${field.number}(${property("message", field.localName)}, memory, pos, limit);`,
        "pos = cursor.pos;",
      );
      return;
    case "list":
      return readList(out, field, child);
  }
}

function set(field: DescField, value: string): string {
  if (field.oneof === undefined) return `${property("message", field.localName)} = ${value}`;
  return `${property("message", field.oneof.localName)} = { case: ${literal(field.localName)}, value: ${value} }`;
}

function readEnum(out: SourceText, field: DescField & { fieldKind: "enum" }): void {
  if (field.enum.open) return readScalar(out, scalarKind(field), (value) => set(field, value));
  readScalar(out, scalarKind(field), (value) => `last = ${value}`);
  const known = [...new Set(field.enum.values.map(({ number }) => number))];
  out.add(
    "switch (last) {",
    ...known.map((number) => `case ${number}:`),
    `${set(field, "last")};`,
    "break;",
    "default:",
    // As protobuf-es does it: what is pushed here and what `unknown` collects are one list only if there was one before.
    `(message.$unknown ??= []).push(unknownEnum(${field.number}, tag & 7, last));`,
    "}",
  );
}

function readMessage(
  out: SourceText,
  field: DescField & { fieldKind: "message" },
  child: ChildName,
): void {
  const codec = child(field.message);
  const [before, read] = readChild(field, codec);
  const local = localOf(field);
  out.add(...before);
  out.add(`value = ${current(field)};`);
  if (local === "wrapped") {
    out.add(
      "items = value;",
      `value = ${codec}.create();`,
      "if (items !== undefined) value.value = items;",
    );
    out.add(`value = ${read("value")}.value;`);
  } else if (local === "json") out.add(`value = structToJson(${read("jsonToStruct(value)")});`);
  else out.add(`value = ${read("value")};`);
  out.add("pos = cursor.pos;", `${set(field, "value")};`);
}

/** The value that a message field has so far, or undefined: more of it is merged into it. */
function current(field: DescField & { fieldKind: "message" }): string {
  const name = field.localName;
  if (field.oneof !== undefined) {
    const oneof = property("message", field.oneof.localName);
    return `${oneof}.case === ${literal(name)} ? ${oneof}.value : undefined`;
  }
  // A field may be called like something that every object has.
  const inherited =
    name in Object.prototype ? `!Object.hasOwn(message, ${literal(name)}) ? undefined : ` : "";
  return `${inherited}${property("message", name)}`;
}

/** The lines before a nested message is read, and the expression that reads it. */
function readChild(
  field: MessageField,
  codec: string,
): readonly [readonly string[], (into: string) => string] {
  if ("delimitedEncoding" in field && field.delimitedEncoding) {
    return [[], (into) => `${codec}.read(${into}, memory, pos, limit, ${field.number})`];
  }
  const before = ["last = readEnd(memory, pos, limit);"];
  return [before, (into) => `${codec}.read(${into}, memory, cursor.pos, last, 0)`];
}

function readList(
  out: SourceText,
  field: DescField & { fieldKind: "list" },
  child: ChildName,
): void {
  const items = property("message", field.localName);
  if (field.listKind === "message") {
    const [before, read] = readChild(field, child(field.message));
    const message = read("undefined");
    out.add(...before);
    out.add(`value = ${localOf(field) === "json" ? `structToJson(${message})` : message};`);
    out.add("pos = cursor.pos;", `${items}.push(value);`);
    return;
  }
  const kind = scalarKind(field);
  const push = (value: string): string => `items.push(${value})`;
  out.add(`items = ${items};`);
  if (kind.type === ScalarType.STRING || kind.type === ScalarType.BYTES)
    return readScalar(out, kind, push);
  out.add(
    "if ((tag & 7) === 2) {",
    "last = readEnd(memory, pos, limit);",
    "pos = cursor.pos;",
    "while (pos < last) {",
  );
  readScalar(out, kind, push);
  out.add("}", "} else {");
  readScalar(out, kind, push);
  out.add("}");
}
