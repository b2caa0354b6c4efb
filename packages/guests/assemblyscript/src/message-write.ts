import { scalarType, tagOf } from "./field-type.ts";
import type { FieldType } from "./field-type.ts";
import type { Member, Members } from "./message-member.ts";
import type { SourceText } from "./source-text.ts";

/** Prints `write`, which writes the fields from the last to the first; see the Writer. */
export function printWrite(source: SourceText, members: Members): void {
  source.line("");
  source.line(`  write(w: ${source.runtime("Writer")}): void {`);
  source.line("    const unknown = this.unknownFields;");
  source.line("    if (unknown !== null) w.raw(unknown.ptr, unknown.length);");
  for (const member of members.fields.toSorted((a, b) => b.field.number - a.field.number)) {
    if (member.kind === "map") writeMap(source, member);
    else if (member.kind === "list") writeList(source, member);
    else writeOne(source, member, members);
  }
  source.line("  }");
}

/** The statements that write a value and then, as all goes backwards, its tag. */
function writeValue(type: FieldType, number: number, value: string): string[] {
  const tag = tagOf(number, type.wire);
  if (type.wire === 3) return [`w.tag(${tag + 1});`, `${value}.write(w);`, `w.tag(${tag});`];
  if (type.message === undefined) return [`w.${type.method}(${value});`, `w.tag(${tag});`];
  return ["const mark = w.length;", `${value}.write(w);`, "w.delimit(mark);", `w.tag(${tag});`];
}

function block(source: SourceText, indent: string, lines: readonly string[]): void {
  for (const line of lines) source.line(indent + line);
}

function writeMap(source: SourceText, { field, store, type }: Member): void {
  if (field.fieldKind !== "map") return;
  const key = scalarType(field.mapKey, source);
  source.line("    {");
  source.line(`      const map = this.${store};`);
  source.line("      if (map !== null) {");
  source.line("        const keys = map.keys();");
  source.line("        const values = map.values();");
  source.line("        for (let at = keys.length - 1; at >= 0; at--) {");
  source.line("          const outer = w.length;");
  source.line("          {");
  block(source, "            ", writeValue(type, 2, "unchecked(values[at])"));
  source.line("          }");
  block(source, "          ", writeValue(key, 1, "unchecked(keys[at])"));
  source.line("          w.delimit(outer);");
  source.line(`          w.tag(${tagOf(field.number, 2)});`);
  source.line("        }");
  source.line("      }");
  source.line("    }");
}

function writeList(source: SourceText, { field, store, type }: Member): void {
  if (field.fieldKind !== "list") return;
  const tag = tagOf(field.number, 2);
  source.line("    {");
  source.line(`      const list = this.${store};`);
  if (field.packed) {
    source.line("      if (list !== null && list.length > 0) {");
    source.line("        const mark = w.length;");
    source.line("        for (let at = list.length - 1; at >= 0; at--) {");
    source.line(`          w.${type.method}(unchecked(list[at]));`);
    source.line("        }");
    block(source, "        ", ["w.delimit(mark);", `w.tag(${tag});`]);
  } else {
    source.line("      if (list !== null) {");
    source.line("        for (let at = list.length - 1; at >= 0; at--) {");
    block(source, "          ", writeValue(type, field.number, "unchecked(list[at])"));
    source.line("        }");
  }
  source.line("      }");
  source.line("    }");
}

function writeOne(source: SourceText, member: Member, members: Members): void {
  const { field, kind, name, store, type } = member;
  if (type.message !== undefined) {
    // The accessor of a oneof's field is null where another one is set.
    source.line("    {");
    source.line(`      const value = this.${name};`);
    source.line("      if (value !== null) {");
    block(source, "        ", writeValue(type, field.number, "value"));
    source.line("      }");
    source.line("    }");
    return;
  }
  const oneof = field.oneof === undefined ? undefined : members.oneofs.get(field.oneof);
  const isSet =
    oneof !== undefined
      ? `this.${oneof.name} == ${field.number}`
      : kind === "explicit"
        ? `this.$has$${name}`
        : notZero(`this.${name}`, type.type);
  source.line(`    if (${isSet}) {`);
  const value = kind === "implicit" ? `this.${name}` : `this.${store}`;
  block(source, "      ", writeValue(type, field.number, value));
  source.line("    }");
}

/** Whether a field without presence is sent; -0 is not zero. */
function notZero(value: string, type: string): string {
  if (type === "string" || type === "Uint8Array") return `${value}.length > 0`;
  if (type === "bool") return value;
  if (type === "f64") return `reinterpret<u64>(${value}) != 0`;
  if (type === "f32") return `reinterpret<u32>(${value}) != 0`;
  return `${value} != 0`;
}
