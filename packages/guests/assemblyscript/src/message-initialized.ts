import type { DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import type { Members } from "./message-member.ts";
import type { SourceText } from "./source-text.ts";

/** Prints `initialized` where the message, or one in it, has required fields (proto2). */
export function printInitialized(source: SourceText, desc: DescMessage, members: Members): void {
  if (!hasRequired(desc, new Set())) return;
  source.line("");
  source.line("  initialized(): bool {");
  for (const { field, kind, name, store, type, required } of members.fields) {
    const isMessage = type.message !== undefined;
    if (required) {
      source.line(
        `    if (${isMessage ? `this.${name} === null` : `!this.$has$${name}`}) return false;`,
      );
    }
    if (type.message === undefined || !hasRequired(type.message, new Set())) continue;
    source.line("    {");
    if (kind === "list" || kind === "map") {
      source.line(`      const held = this.${store};`);
      source.line("      if (held !== null) {");
      source.line(`        const values = ${kind === "list" ? "held" : "held.values()"};`);
      source.line("        for (let at = 0; at < values.length; at++) {");
      source.line("          if (!values[at].initialized()) return false;");
      source.line("        }");
      source.line("      }");
    } else {
      source.line(`      const value = this.${name};`);
      source.line("      if (value !== null && !value.initialized()) return false;");
    }
    source.line(`    } // ${field.name}`);
  }
  source.line("    return true;");
  source.line("  }");
}

function hasRequired(desc: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(desc)) return false;
  seen.add(desc);
  return desc.fields.some(
    (field) =>
      field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED ||
      (field.message !== undefined && hasRequired(field.message, seen)),
  );
}
