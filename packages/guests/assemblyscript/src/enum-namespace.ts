import type { DescEnum, DescOneof } from "@bufbuild/protobuf";
import { constantCase, fileNames } from "./file-names.ts";
import { CONSTANT_NAMES, NameScope } from "./reserved-names.ts";
import type { SourceText } from "./source-text.ts";

/** Prints an enum: a namespace of constants. An enum field is an i32, since unknown values must survive. */
export function printEnum(source: SourceText, desc: DescEnum): void {
  source.comment(desc, "", `The enum ${desc.typeName}.`);
  source.line(`export namespace ${source.type(desc)} {`);
  const scope = new NameScope(CONSTANT_NAMES);
  for (const value of desc.values) {
    source.comment(value, "  ");
    source.line(`  export const ${scope.take(value.localName)}: i32 = ${value.number};`);
  }
  if (!desc.open) {
    const numbers = [...new Set(desc.values.map((value) => value.number))];
    source.line("  /** Whether the enum, which is closed, lists the value. */");
    source.line("  export function $lists(value: i32): bool {");
    source.line("    switch (value) {");
    for (const number of numbers) source.line(`      case ${number}:`);
    source.line("        return true;");
    source.line("      default:");
    source.line("        return false;");
    source.line("    }");
    source.line("  }");
  }
  source.line("}");
  source.line("");
}

/** Prints the cases of a oneof: a namespace with the number of each of its fields. */
export function printCases(source: SourceText, oneof: DescOneof): void {
  source.doc([`Which field of the oneof ${oneof.parent.typeName}.${oneof.name} is set.`], "");
  source.line(`export namespace ${fileNames(oneof.parent.file).cases.get(oneof)} {`);
  const scope = new NameScope(CONSTANT_NAMES);
  source.line("  /** None of them. */");
  source.line(`  export const ${scope.take("NOT_SET")}: i32 = 0;`);
  for (const field of oneof.fields) {
    source.line(`  export const ${scope.take(constantCase(field.name))}: i32 = ${field.number};`);
  }
  source.line("}");
  source.line("");
}
