import { type DescField, type DescMessage, type DescOneof, ScalarType } from "@bufbuild/protobuf";
import { localOf, wrapsBytes } from "./field-kind.ts";
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
 * The source of what makes messages: `create()` an empty one, `create(init)` one of the values that a program gave. Two
 * constructors that set what protobuf-es's `create` sets, in its order, on the same prototype.
 *
 * @param sample an empty message that protobuf-es made
 */
export function createSource(desc: DescMessage, sample: object): CodecSource {
  const { children, child } = collectChildren();
  const constants = new SourceText();
  const body = new SourceText();
  const zero = (member: DescField | DescOneof): string | undefined =>
    zeroOf(constants, member, sample);
  body.add("function Message() {", `this.$typeName = ${literal(desc.typeName)};`);
  for (const member of desc.members) {
    const value = zero(member);
    if (value !== undefined) body.add(`${property("this", member.localName)} = ${value};`);
  }
  body.add("}", "function Filled(init) {", `this.$typeName = ${literal(desc.typeName)};`);
  body.add("let value;");
  for (const member of desc.members) {
    body.add(`value = ${property("init", member.localName)};`);
    if (member.kind === "oneof") fillOneof(body, member, child);
    else fillField(body, member, zero(member), child);
  }
  body.add(
    "}",
    "Message.prototype = Filled.prototype = Object.getPrototypeOf(sample);",
    "return { Message, create: (init) => init == null ? new Message() : new Filled(init) };",
  );
  return codecSource(`Creates ${literal(desc.typeName)}`, children, constants, body);
}

/** What an empty message has for a member; undefined where it has nothing. */
function zeroOf(
  constants: SourceText,
  member: DescField | DescOneof,
  sample: object,
): string | undefined {
  if (!Object.hasOwn(sample, member.localName)) return undefined;
  if (member.kind === "oneof") return "{ case: undefined }";
  if (member.fieldKind === "list") return "[]";
  if (member.fieldKind === "map") return "{}";
  const known = constant(Reflect.get(sample, member.localName));
  if (known !== undefined) return known;
  // Bytes: protobuf-es has one empty array for all messages, and so do we.
  const name = `empty${member.number}`;
  const line = `const ${name} = ${property("sample", member.localName)};`;
  if (!String(constants).includes(line)) constants.add(line);
  return name;
}

function fillField(
  out: SourceText,
  field: DescField,
  zero: string | undefined,
  child: ChildName,
): void {
  const target = property("this", field.localName);
  const convert = conversion(field, child);
  const one = convert("value");
  // A list or map of messages is another one, even where its values stay what they are.
  const same = one === "value" && field.message === undefined;
  if (field.fieldKind === "list") {
    const items = `value.map((value) => ${one})`;
    out.add(
      same
        ? `${target} = value ?? [];`
        : `${target} = Array.isArray(value) ? ${items} : value ?? [];`,
    );
  } else if (field.fieldKind === "map") {
    if (same) out.add(`${target} = value ?? {};`);
    else
      out.add(
        "if (isObject(value)) {",
        `const record = ${target} = {};`,
        `for (const key of Object.keys(value)) setOwn(record, key, ${convert("value[key]")});`,
        `} else ${target} = value ?? {};`,
      );
  } else {
    out.add(`if (value != null) ${target} = ${one};`);
    if (zero !== undefined) out.add(`else ${target} = ${zero};`);
  }
}

function fillOneof(out: SourceText, oneof: DescOneof, child: ChildName): void {
  const target = property("this", oneof.localName);
  out.add("switch (value?.case) {");
  for (const field of oneof.fields) {
    const name = literal(field.localName);
    const value = conversion(field, child)("value.value");
    out.add(`case ${name}:`, `${target} = { case: ${name}, value: ${value} };`, "break;");
  }
  out.add("default:", `${target} = { case: undefined };`, "}");
}

/** What a program may give for one value of a field, as the expression of what the message has. */
function conversion(field: DescField, child: ChildName): (given: string) => string {
  const asIs = (given: string): string => given;
  const bytes = (given: string): string => `toBytes(${given})`;
  if (field.message === undefined) return field.scalar === ScalarType.BYTES ? bytes : asIs;
  const local = localOf(field);
  if (local === "json") return asIs;
  if (local === "wrapped") return wrapsBytes(field.message) ? bytes : asIs;
  const name = child(field.message);
  const typeName = literal(field.message.typeName);
  return (given) => `toMessage(${given}, ${typeName}, ${name})`;
}
