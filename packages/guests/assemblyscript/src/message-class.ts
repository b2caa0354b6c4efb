import type { DescMessage } from "@bufbuild/protobuf";
import { fileNames } from "./file-names.ts";
import { printInitialized } from "./message-initialized.ts";
import type { Member, Members } from "./message-member.ts";
import { membersOf } from "./message-member.ts";
import { printRead } from "./message-read.ts";
import { printWrite } from "./message-write.ts";
import { scalarType } from "./field-type.ts";
import type { SourceText } from "./source-text.ts";

/** Prints the class of a message. */
export function printMessage(source: SourceText, desc: DescMessage): void {
  const name = source.type(desc);
  const members = membersOf(desc, source);
  source.comment(desc, "", `The message ${desc.typeName}.`);
  source.line("@final");
  source.line(`export class ${name} extends ${source.runtime("Message")} {`);
  printProperties(source, desc, members);
  const bytes = "bytes: Uint8Array";
  source.line("  /** A message from its bytes; null if they are malformed. */");
  source.line(`  static decode(${bytes}): ${name} | null {`);
  source.line(`    return ${source.runtime("decode")}<${name}>(bytes);`);
  source.line("  }");
  source.line("");
  source.line("  typeName(): string {");
  source.line(`    return "${desc.typeName}";`);
  source.line("  }");
  printAccessors(source, desc, members);
  printWrite(source, members);
  printRead(source, members);
  printInitialized(source, desc, members);
  source.line("}");
  source.line("");
}

function printProperties(source: SourceText, desc: DescMessage, members: Members): void {
  for (const { oneof, name } of members.oneofs.values()) {
    const cases = fileNames(desc.file).cases.get(oneof);
    source.doc([`Which field of the oneof ${oneof.name} is set: a value of ${cases}.`], "  ");
    source.line(`  ${name}: i32 = 0;`);
  }
  for (const member of members.fields) {
    const { kind, name, store, type, zero } = member;
    if (kind === "map" || kind === "list") {
      source.line(`  private ${store}: ${containerType(source, member)} | null = null;`);
    } else if (kind === "message") {
      source.comment(member.field, "  ");
      source.line(`  ${name}: ${type.type} | null = null;`);
    } else if (kind === "implicit") {
      source.comment(member.field, "  ");
      source.line(`  ${name}: ${type.type} = ${zero};`);
    } else if (type.message !== undefined) {
      source.line(`  private ${store}: ${type.type} | null = null;`);
    } else {
      source.line(`  private ${store}: ${type.type} = ${zero};`);
      if (kind === "explicit") source.line(`  private $has$${name}: bool = false;`);
    }
  }
  source.line("");
}

/** `Map<K, V>` or `Array<T>`. */
function containerType(source: SourceText, { field, type }: Member): string {
  if (field.fieldKind !== "map") return `Array<${type.type}>`;
  return `Map<${scalarType(field.mapKey, source).type}, ${type.type}>`;
}

function printAccessors(source: SourceText, desc: DescMessage, members: Members): void {
  for (const member of members.fields) {
    if (member.kind === "map" || member.kind === "list") printContainer(source, member);
    if (member.kind === "explicit") printExplicit(source, member);
    if (member.kind === "oneof") printOneofField(source, member, members);
  }
  for (const { oneof, name, clear } of members.oneofs.values()) {
    source.doc([`Sets no field of the oneof ${oneof.name} of ${desc.name}.`], "  ");
    source.line(`  ${clear}(): void {`);
    source.line(`    this.${name} = 0;`);
    source.line("  }");
    source.line("");
  }
}

/** Made when first asked for: a message that has many lists costs nothing for those that are empty. */
function printContainer(source: SourceText, member: Member): void {
  const { field, kind, name, store } = member;
  const container = containerType(source, member);
  source.line("");
  source.comment(field, "  ");
  source.line(`  get ${name}(): ${container} {`);
  source.line(`    let value = this.${store};`);
  source.line("    if (value === null) {");
  source.line(`      value = ${kind === "map" ? `new ${container}()` : "[]"};`);
  source.line(`      this.${store} = value;`);
  source.line("    }");
  source.line("    return value;");
  source.line("  }");
  source.line(`  set ${name}(value: ${container}) {`);
  source.line(`    this.${store} = value;`);
  source.line("  }");
  source.line("");
}

function printExplicit(source: SourceText, member: Member): void {
  const { field, name, store, type, has, clear, zero } = member;
  source.line("");
  source.comment(field, "  ");
  source.line(`  get ${name}(): ${type.type} {`);
  source.line(`    return this.${store};`);
  source.line("  }");
  source.line(`  set ${name}(value: ${type.type}) {`);
  source.line(`    this.${store} = value;`);
  source.line(`    this.$has$${name} = true;`);
  source.line("  }");
  source.line(`  /** Whether ${field.name} is set. */`);
  source.line(`  get ${has}(): bool {`);
  source.line(`    return this.$has$${name};`);
  source.line("  }");
  source.line(`  /** Unsets ${field.name}. */`);
  source.line(`  ${clear}(): void {`);
  source.line(`    this.${store} = ${zero};`);
  source.line(`    this.$has$${name} = false;`);
  source.line("  }");
  source.line("");
}

function printOneofField(source: SourceText, member: Member, members: Members): void {
  const { field, name, store, type, zero } = member;
  const oneof = field.oneof === undefined ? undefined : members.oneofs.get(field.oneof);
  if (oneof === undefined) return;
  const isMessage = type.message !== undefined;
  const full = isMessage ? `${type.type} | null` : type.type;
  source.line("");
  source.comment(field, "  ");
  source.line(`  get ${name}(): ${full} {`);
  source.line(`    return this.${oneof.name} == ${field.number} ? this.${store} : ${zero};`);
  source.line("  }");
  source.line(`  set ${name}(value: ${full}) {`);
  source.line(`    this.${store} = value;`);
  if (isMessage) {
    source.line(`    if (value !== null) this.${oneof.name} = ${field.number};`);
    source.line(`    else if (this.${oneof.name} == ${field.number}) this.${oneof.name} = 0;`);
  } else {
    source.line(`    this.${oneof.name} = ${field.number};`);
  }
  source.line("  }");
  source.line("");
}
