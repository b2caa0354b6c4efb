import type { DescService } from "@bufbuild/protobuf";
import {
  type GuestModule,
  limitedModule,
  manifestServices,
  ModuleError,
  readGuestModule,
} from "@dropthrough/abi";
import {
  DEFAULT_LIMITS,
  type GuestConfig,
  type HostLimits,
  limitsOf,
  readModule,
} from "@dropthrough/host";
import { manifestNames } from "./manifest-names.ts";

/** A guest of the deployment, with what its module says. */
export interface CheckedGuest {
  readonly config: GuestConfig;
  /** Undefined if it cannot be loaded. */
  readonly module: GuestModule | undefined;
  /** Full names of the services that its manifest requires. */
  readonly requires: readonly string[];
  /** Those that it exports; undefined if it has no manifest. */
  readonly declares: readonly string[] | undefined;
  /** Those that it may export and, as far as its manifest tells, does. */
  readonly exports: readonly string[];
  /** Descriptors of what it exports, from the configuration or its manifest. */
  readonly services: readonly DescService[];
}

/** Loads a guest as the host does, all but running it. `error` is told what is wrong, if anything is. */
export async function checkGuest(
  config: GuestConfig,
  limits: Partial<HostLimits>,
  error: (message: string) => void,
): Promise<CheckedGuest> {
  let module: GuestModule | undefined;
  let services = config.services ?? [];
  const tell = (why: string): void => error(`guest "${config.name}": ${why}`);
  const own = limitsOf(limitsOf(DEFAULT_LIMITS, limits), config.limits);
  try {
    const bytes = await readModule(config.module, own.moduleBytes);
    module = readGuestModule(bytes);
    await limitedModule(bytes, own);
    services = [...services, ...manifestServices(module.manifest)];
  } catch (cause) {
    if (!(cause instanceof ModuleError)) throw cause;
    tell(cause.message);
  }
  const has = (name: string): boolean => module?.info.exports.some((e) => e.name === name) === true;
  if (module?.kind === "reactor" && !module.serves && !has("_initialize")) {
    tell(
      "its module exports neither _start nor _initialize nor dropthrough_v1_serve, so it would end with 251: export one",
    );
  }
  const manifest = module?.manifest;
  const most = (verb: string) => (count: string) =>
    error(`guest "${config.name}" ${verb} ${count}`);
  const requires = manifestNames(manifest?.requires ?? [], most("requires"));
  const declares = manifest && manifestNames(manifest.exports, most("exports"));
  const allowed = [...new Set(config.exports)];
  return {
    config,
    module,
    requires,
    declares,
    exports: declares === undefined ? allowed : allowed.filter((s) => declares.includes(s)),
    services,
  };
}
