import type { Inspection } from "./inspect.ts";
import { cut } from "./label.ts";
import { MOST_LETTERS, MOST_SERVICES } from "./manifest-names.ts";

/** As many as a guest may bind. */
const MOST_METHODS = 1_024;

/** What is printed of an inspection. */
export interface ShownInspection extends Inspection {
  /** How many entries of a list are not, by its name, such as `manifest.requires`; those that are whole are left out. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Takes out of an inspection what is printed: a module is hostile, and can name millions. Longer names are cut. */
export function shownInspection(it: Inspection): ShownInspection {
  const leftOut: Record<string, number> = {};
  const some = (list: string, names: readonly string[], most = MOST_SERVICES): string[] => {
    if (names.length > most) leftOut[list] = names.length - most;
    return names.slice(0, most).map((name) => cut(name, MOST_LETTERS));
  };
  const imports = some("imports", it.imports);
  const exports = some("exports", it.exports);
  const { manifest } = it;
  if (manifest === undefined) return { ...it, imports, exports, leftOut };
  const { services } = manifest;
  const names = Object.keys(services);
  let room = MOST_METHODS;
  const shown = some("manifest.services", names).map((service, at) => {
    const methods = some(`manifest.services.${service}`, services[names[at] ?? ""] ?? [], room);
    room -= methods.length;
    return [service, methods] as const;
  });
  return {
    ...it,
    imports,
    exports,
    manifest: {
      name: cut(manifest.name, MOST_LETTERS),
      version: cut(manifest.version, MOST_LETTERS),
      exports: some("manifest.exports", manifest.exports),
      requires: some("manifest.requires", manifest.requires),
      services: Object.fromEntries(shown),
    },
    leftOut,
  };
}
