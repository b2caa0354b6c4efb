import { readFile } from "node:fs/promises";
import { type GuestModule, ModuleError, readGuestModule } from "@dropthrough/abi";
import { Grants, splitMethodName } from "@dropthrough/dispatch";
import type { GuestConfig } from "@dropthrough/host";
import type { Config } from "./config.ts";

/** Something that is wrong, or looks so. */
export interface Finding {
  /** With an error the deployment cannot run as it was meant. */
  readonly level: "error" | "warning";
  /** One sentence that says what to do. */
  readonly message: string;
}

const KERNEL = "dropthrough.kernel.v1.KernelService";

/** A guest of the deployment, with what its module says; undefined if that cannot be loaded. */
interface Loaded {
  readonly config: GuestConfig;
  readonly module: GuestModule | undefined;
  readonly requires: readonly string[];
  readonly exports: readonly string[];
}

/** Finds everything about a deployment that can be known without running it. */
export async function check(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  const error = (message: string): void => void findings.push({ level: "error", message });
  const warning = (message: string): void => void findings.push({ level: "warning", message });
  const owners = new Map<string, string>();
  const own = (service: string, owner: string): void => {
    const other = owners.get(service);
    if (other !== undefined)
      error(`${service} has two owners, "${other}" and "${owner}": keep one`);
    owners.set(service, owner);
  };
  for (const backend of config.backends ?? []) own(backend.service.typeName, backend.name);
  const guests = await Promise.all((config.guests ?? []).map(async (guest) => load(guest, error)));
  for (const { config: guest, exports } of guests)
    for (const service of exports) own(service, guest.name);
  for (const guest of guests) {
    checkExports(guest, error, warning);
    checkGrants(guest, config, owners, error, warning);
    for (const service of guest.requires) {
      if (!owners.has(service))
        error(
          `guest "${guest.config.name}" requires ${service}, and nobody serves it: add a backend or a guest that does`,
        );
    }
  }
  checkNames(guests, error);
  for (const cycle of cycles(guests))
    error(`${cycle.join(" requires ")}: guests cannot wait for one another in a circle`);
  return findings;
}

async function load(config: GuestConfig, error: (message: string) => void): Promise<Loaded> {
  let module: GuestModule | undefined;
  try {
    module = readGuestModule(
      config.module instanceof Uint8Array ? config.module : await readFile(config.module),
    );
  } catch (cause) {
    const why = (cause as Error).message;
    error(
      `guest "${config.name}": ${cause instanceof ModuleError ? why : `its module cannot be read (${why}): build it first, or correct "module"`}`,
    );
  }
  const allowed = config.exports ?? [];
  return {
    config,
    module,
    requires: module?.manifest?.requires ?? [],
    exports:
      module?.manifest === undefined
        ? allowed
        : allowed.filter((s) => module.manifest?.exports.includes(s)),
  };
}

function checkExports(
  { config, module }: Loaded,
  error: (m: string) => void,
  warning: (m: string) => void,
): void {
  const allowed = config.exports ?? [];
  if (module === undefined) return;
  if (allowed.length > 0 && !module.serves) {
    error(
      `guest "${config.name}" is to export ${allowed.join(", ")}, but its module exports no dropthrough_v1_serve`,
    );
  }
  for (const service of module.manifest?.exports ?? []) {
    if (!allowed.includes(service))
      error(`guest "${config.name}" exports ${service}, which it may not: add it to its exports`);
  }
  for (const service of allowed) {
    if (module.manifest !== undefined && !module.manifest.exports.includes(service)) {
      warning(
        `guest "${config.name}" may export ${service}, and does not according to its manifest: take it out of its exports`,
      );
    }
  }
}

function checkGrants(
  { config: guest, module, requires }: Loaded,
  config: Config,
  owners: ReadonlyMap<string, string>,
  error: (m: string) => void,
  warning: (m: string) => void,
): void {
  const grants = guest.grants ?? [];
  try {
    Grants.check(grants);
  } catch (cause) {
    error(`guest "${guest.name}": ${(cause as Error).message}`);
    return;
  }
  const granted = new Set(grants.map((grant) => grant.slice(0, grant.indexOf("/"))));
  for (const service of requires) {
    if (!granted.has(service) && service !== KERNEL) {
      error(
        `guest "${guest.name}" requires ${service}, which it was not granted: add "${service}/*" to its grants`,
      );
    }
  }
  for (const grant of grants) {
    const service = grant.slice(0, grant.indexOf("/"));
    const backend = config.backends?.find((b) => b.service.typeName === service);
    const method = splitMethodName(grant)?.method;
    if (!owners.has(service))
      warning(
        `guest "${guest.name}" is granted ${grant}, and nobody serves that: take it out, or add who does`,
      );
    else if (
      backend !== undefined &&
      method !== undefined &&
      !backend.service.methods.some((m) => m.name === method)
    ) {
      warning(
        `guest "${guest.name}" is granted ${grant}, and ${service} has no such method: correct it`,
      );
    } else if (module?.manifest !== undefined && !requires.includes(service)) {
      warning(
        `guest "${guest.name}" is granted ${grant}, and does not require it according to its manifest: take it out`,
      );
    }
  }
}

function checkNames(guests: readonly Loaded[], error: (m: string) => void): void {
  const names = guests.map((g) => g.config.name);
  for (const name of new Set(names.filter((n, i) => names.indexOf(n) !== i)))
    error(`two guests are named "${name}": rename one`);
  const main = guests.filter((g) => g.config.main === true).map((g) => `"${g.config.name}"`);
  if (main.length > 1) error(`${main.join(" and ")} are both main: keep one`);
}

/** Every cycle of requirements, once: the names of the guests, the first one again at the end. */
function cycles(guests: readonly Loaded[]): string[][] {
  const next = (name: string): string[] => {
    const requires = guests.find((g) => g.config.name === name)?.requires ?? [];
    return requires.flatMap((s) =>
      guests.filter((g) => g.exports.includes(s)).map((g) => g.config.name),
    );
  };
  const found: string[][] = [];
  const done = new Set<string>();
  const search = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name);
    if (at >= 0) found.push([...path.slice(at), name]);
    if (at >= 0 || done.has(name)) return;
    for (const other of next(name)) search(other, [...path, name]);
    done.add(name);
  };
  for (const guest of guests) search(guest.config.name, []);
  return found;
}
