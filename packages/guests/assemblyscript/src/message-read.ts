import { scalarType, tagOf } from "./field-type.ts";
import type { Member, Members } from "./message-member.ts";
import type { SourceText } from "./source-text.ts";

/** Prints `read`, which reads fields into the message until its end. */
export function printRead(source: SourceText, members: Members): void {
  source.line("");
  source.line(`  read(r: ${source.runtime("Reader")}, endTag: u32): void {`);
  source.line("    while (r.more()) {");
  source.line("      const start = r.ptr;");
  source.line("      const tag = r.tag();");
  const print = new Lines(source, "          ");
  if (members.fields.length > 0) {
    source.line("      switch (tag) {");
    for (const member of members.fields) {
      if (member.kind === "map") readMap(source, print, member);
      else if (member.kind === "list") readList(source, print, member);
      else readOne(source, print, member);
    }
    source.line("        default:");
    source.line("          if (this.other(r, tag, start, endTag)) return;");
    source.line("      }");
  } else {
    source.line("      if (this.other(r, tag, start, endTag)) return;");
  }
  source.line("    }");
  source.line("    if (endTag != 0) r.fail();");
  source.line("  }");
}

/** Prints the cases of the switch, each a block of its own. */
class Lines {
  readonly #source: SourceText;
  readonly #indent: string;

  constructor(source: SourceText, indent: string) {
    this.#source = source;
    this.#indent = indent;
  }

  case(tag: number, lines: readonly string[]): void {
    this.#source.line(`        case ${tag}: {`);
    for (const line of lines) this.#source.line(this.#indent + line);
    this.#source.line(`${this.#indent}break;`);
    this.#source.line("        }");
  }
}

/** The statements that read a message into the variable `value`. */
function readInto(member: Member): string[] {
  const { field, type } = member;
  if (type.wire === 3) {
    const endTag = tagOf(field.number, 4);
    return [
      `r.beginGroup(offsetof<${type.type}>());`,
      `value.read(r, ${endTag});`,
      "r.finishGroup();",
    ];
  }
  return [
    `const outer = r.begin(offsetof<${type.type}>());`,
    "value.read(r, 0);",
    "r.finish(outer);",
  ];
}

function readOne(source: SourceText, print: Lines, member: Member): void {
  const { field, name, type } = member;
  const tag = tagOf(field.number, type.wire);
  if (type.message !== undefined) {
    print.case(tag, [
      `let value = this.${name};`,
      "if (value === null) {",
      `  value = new ${type.type}();`,
      `  this.${name} = value;`,
      "}",
      ...readInto(member),
    ]);
  } else if (type.closed !== undefined) {
    print.case(tag, [
      "const value = r.int32();",
      `if (${source.type(type.closed)}.$lists(value)) this.${name} = value;`,
      "else this.keep(r, start);",
    ]);
  } else {
    print.case(tag, [`this.${name} = r.${type.method}();`]);
  }
}

function readList(source: SourceText, print: Lines, member: Member): void {
  const { field, name, type } = member;
  const tag = tagOf(field.number, type.wire);
  if (type.message !== undefined) {
    print.case(tag, [
      `const value = new ${type.type}();`,
      ...readInto(member),
      `this.${name}.push(value);`,
    ]);
    return;
  }
  const one =
    type.closed === undefined
      ? [`this.${name}.push(r.${type.method}());`]
      : [
          "const value = r.int32();",
          `if (${source.type(type.closed)}.$lists(value)) this.${name}.push(value);`,
          `else this.keepVarint(${tag}, value);`,
        ];
  print.case(tag, one);
  if (type.wire === 2) return;
  // Both forms are read whatever the .proto file says is written.
  print.case(tagOf(field.number, 2), [
    "const outer = r.enter();",
    "while (r.more()) {",
    ...one.map((line) => `  ${line}`),
    "}",
    "r.leave(outer);",
  ]);
}

function readMap(source: SourceText, print: Lines, member: Member): void {
  const { field, name, type } = member;
  if (field.fieldKind !== "map") return;
  const key = scalarType(field.mapKey, source);
  const isMessage = type.message !== undefined;
  const readValue = isMessage
    ? [`const inner = r.begin(offsetof<${type.type}>());`, "value.read(r, 0);", "r.finish(inner);"]
    : [`value = r.${type.method}();`];
  const set = `this.${name}.set(key, value);`;
  print.case(tagOf(field.number, 2), [
    "const outer = r.enter();",
    `let key: ${key.type} = ${key.zero};`,
    isMessage ? `const value = new ${type.type}();` : `let value: ${type.type} = ${type.zero};`,
    "while (r.more()) {",
    "  const tag = r.tag();",
    `  if (tag == ${tagOf(1, key.wire)}) {`,
    `    key = r.${key.method}();`,
    `  } else if (tag == ${tagOf(2, type.wire)}) {`,
    ...readValue.map((line) => `    ${line}`),
    "  } else {",
    "    r.skip(tag);",
    "  }",
    "}",
    "r.leave(outer);",
    ...(type.closed === undefined
      ? [set]
      : [`if (${source.type(type.closed)}.$lists(value)) ${set}`, "else this.keep(r, start);"]),
  ]);
}
