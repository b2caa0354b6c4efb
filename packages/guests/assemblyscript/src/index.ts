/**
 * Builds AssemblyScript guests: what the command `dropthrough-as` does, as a function. What guests themselves
 * import is `@dropthrough/assemblyscript/assembly`.
 *
 * @module
 */
export { buildGuest } from "./build-guest.ts";
export type { BuildOptions } from "./build-guest.ts";
export { CompileError } from "./compile.ts";
export { ModuleError } from "./guest-module.ts";
export { ManifestError } from "./manifest.ts";
