import type { DescService } from "@bufbuild/protobuf";
import {
  type GuestModule,
  limitedModule,
  manifestServices,
  ModuleError,
  readGuestModule,
} from "@dropthrough/abi";
import type { GuestConfig } from "./guest-config.ts";
import { GuestError } from "./guest-exit.ts";
import type { Limits } from "./limits.ts";
import { readModule } from "./module-bytes.ts";
import { canSuspend } from "./suspension.ts";

/** A guest's module, checked, capped and compiled: what all of its instances share. */
export interface GuestProgram {
  readonly module: WebAssembly.Module;
  readonly shape: GuestModule;
  /** Whether it imports `wait`: one that does not can never be suspended, and is entered the fast way. */
  readonly waits: boolean;
  /** Whether its exports run on the host's stack: it never waits, has an event loop, or the engine suspends nobody. */
  readonly sharesStack: boolean;
  /** The descriptor of a service that it exports, from the config or from its manifest. */
  desc(service: string): DescService | undefined;
}

/**
 * Loads a guest.
 *
 * @throws GuestError if its file cannot be read or is too large, it is no guest of this ABI, or the engine refuses it
 */
export async function loadProgram(config: GuestConfig, limits: Limits): Promise<GuestProgram> {
  try {
    const bytes = await readModule(config.module, limits.moduleBytes);
    const { shape, module } = await compile(bytes, limits);
    const described = describe(config, shape);
    const waits = shape.info.imports.some((i) => i.name === "wait");
    const sharesStack = !waits || shape.eventLoop || !canSuspend;
    return { module, shape, waits, sharesStack, desc: (service) => described.get(service) };
  } catch (cause) {
    if (!(cause instanceof ModuleError)) throw cause;
    throw new GuestError(`guest "${config.name}": ${cause.message}`, { cause });
  }
}

/** What the same bytes were compiled to before, by their limits: a hundred guests may share one module. */
const compiled = new WeakMap<Uint8Array, Map<string, Compiled>>();

interface Compiled {
  readonly shape: GuestModule;
  readonly module: WebAssembly.Module;
}

async function compile(bytes: Uint8Array<ArrayBuffer>, limits: Limits): Promise<Compiled> {
  const key = `${limits.memoryPages} ${limits.tableEntries}`;
  const known = compiled.get(bytes)?.get(key);
  if (known !== undefined) return known;
  const shape = readGuestModule(bytes);
  const made = { shape, module: await limitedModule(bytes, limits) };
  compiled.set(bytes, new Map([...(compiled.get(bytes) ?? []), [key, made]]));
  return made;
}

/** A guest that may export nothing is not asked for descriptors: nobody needs them. */
function describe(
  { exports = [], services = [] }: GuestConfig,
  shape: GuestModule,
): Map<string, DescService> {
  const own = exports.length === 0 ? [] : manifestServices(shape.manifest);
  return new Map([...own, ...services].map((desc) => [desc.typeName, desc]));
}
