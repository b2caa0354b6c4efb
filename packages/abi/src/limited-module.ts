import { limitMemory } from "./memory-limit.ts";
import { ModuleError } from "./module-error.ts";
import { limitTables } from "./table-limit.ts";

/** How far the memory and the tables of one instance may grow. */
export interface ModuleLimits {
  /** Pages of 64 KiB. */
  readonly memoryPages: number;
  /** Entries of all tables together. */
  readonly tableEntries: number;
}

/** Up to so many bytes a module is compiled at once: to ask another thread for it takes longer, and some turns of the event loop. */
const SMALL = 65_536;

/**
 * A module, compiled, whose instances cannot grow above limits: the engine itself keeps them.
 *
 * @param bytes a module that `readGuestModule` takes
 * @throws ModuleError if it starts out larger than that, has several memories, or the engine refuses it
 */
export async function limitedModule(
  bytes: Uint8Array<ArrayBuffer>,
  { memoryPages, tableEntries }: ModuleLimits,
): Promise<WebAssembly.Module> {
  const limited = limitTables(limitMemory(bytes, memoryPages), tableEntries);
  try {
    return limited.length <= SMALL
      ? new WebAssembly.Module(limited)
      : await WebAssembly.compile(limited);
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    throw new ModuleError(`the engine refuses the module: ${cause.message}`, { cause });
  }
}
