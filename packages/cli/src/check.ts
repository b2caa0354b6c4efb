import { Grants, similarName, splitMethodName } from "@dropthrough/dispatch";
import { checkGuest, type CheckedGuest } from "./checked-guest.ts";
import type { Config } from "./config.ts";
import { requirementCycles } from "./requirement-cycles.ts";

/** Something that is wrong, or looks so. */
export interface Finding {
  /** With an error the deployment cannot run as it was meant. */
  readonly level: "error" | "warning";
  /** One sentence that says what to do. */
  readonly message: string;
}

const KERNEL = "dropthrough.kernel.v1.KernelService";

/** What a check of one guest tells and may ask. */
interface Checking {
  readonly error: (message: string) => void;
  readonly warning: (message: string) => void;
  /** Who serves a service, by its full name. */
  readonly owners: ReadonlyMap<string, string>;
  /** The methods of a service, where a descriptor is known. */
  readonly methods: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Finds everything about a deployment that can be known without running it. */
export async function check(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  const error = (message: string): void => void findings.push({ level: "error", message });
  const warning = (message: string): void => void findings.push({ level: "warning", message });
  const backends = config.backends ?? [];
  const guests = await Promise.all(
    (config.guests ?? []).map(async (guest) => checkGuest(guest, config.limits ?? {}, error)),
  );
  const owners = new Map<string, string>();
  const own = (service: string, owner: string): void => {
    const other = owners.get(service);
    if (other !== undefined)
      error(`${service} has two owners, "${other}" and "${owner}": only guests share, so keep one`);
    owners.set(service, owner);
  };
  for (const backend of backends) own(backend.service.typeName, backend.name);
  const shared = new Map<string, string>();
  for (const { config: guest, exports } of guests) {
    for (const service of exports) {
      if (!shared.has(service)) own(service, guest.name);
      shared.set(service, guest.name);
    }
  }
  const described = [...backends.map((b) => b.service), ...guests.flatMap((g) => g.services)];
  const methods = new Map(
    described.map((desc) => [desc.typeName, new Set(desc.methods.map((m) => m.name))]),
  );
  const checking = { error, warning, owners, methods };
  for (const guest of guests) {
    checkExports(guest, checking);
    checkRequires(guest, guests, checking);
    checkGrants(guest, checking);
  }
  checkNames(guests, checking);
  for (const cycle of requirementCycles(guests))
    error(`${cycle.join(" requires ")}: guests cannot wait for one another in a circle`);
  return findings;
}

function checkExports(
  { config, module, declares, exports }: CheckedGuest,
  { error, warning, owners }: Checking,
): void {
  const allowed = config.exports ?? [];
  if (module === undefined) return;
  const answers = module.info.imports.some(({ name }) => name === "reply");
  if (allowed.length > 0 && !(answers || module.serves)) {
    error(
      `guest "${config.name}" is to export ${allowed.join(", ")}, but its module neither exports dropthrough_v1_serve nor imports reply`,
    );
  } else if (exports.length > 0 && !owners.has(KERNEL)) {
    error(
      `guest "${config.name}" is to export ${exports.join(", ")}, and guests export through the kernel: add kernel() of @dropthrough/kernel to the backends`,
    );
  }
  for (const service of declares ?? []) {
    if (!allowed.includes(service))
      error(`guest "${config.name}" exports ${service}, which it may not: add it to its exports`);
  }
  for (const service of allowed) {
    if (declares?.includes(service) === false) {
      warning(
        `guest "${config.name}" may export ${service}, and does not according to its manifest: take it out of its exports`,
      );
    }
  }
}

function checkRequires(
  { config, requires }: CheckedGuest,
  guests: readonly CheckedGuest[],
  { error, owners }: Checking,
): void {
  for (const service of requires) {
    if (owners.has(service)) continue;
    // It is named already, for what keeps it from exporting.
    const meant = guests.find((g) => g.declares?.includes(service) === true);
    error(
      `guest "${config.name}" requires ${service}, and ${
        meant === undefined
          ? `nobody serves it${hint(service, owners)}: add a backend or a guest that does`
          : `"${meant.config.name}", which has it, may not export it: add it to the exports of "${meant.config.name}"`
      }`,
    );
  }
}

function hint(service: string, owners: ReadonlyMap<string, string>): string {
  const similar = similarName(service, owners.keys());
  return similar === undefined ? "" : `; did you mean ${similar} of "${owners.get(similar)}"?`;
}

function checkGrants(
  { config: guest, declares, requires }: CheckedGuest,
  { error, warning, owners, methods }: Checking,
): void {
  const grants = guest.grants ?? [];
  try {
    Grants.check(grants);
  } catch (cause) {
    error(`guest "${guest.name}": ${(cause as Error).message}`);
    return;
  }
  // A grant of what there is not grants nothing.
  const isThere = (service: string, method: string | undefined): boolean =>
    method === undefined || methods.get(service)?.has(method) !== false;
  const granted = new Set(
    grants
      .filter((grant) => isThere(serviceOf(grant), splitMethodName(grant)?.method))
      .map((grant) => serviceOf(grant)),
  );
  for (const service of requires) {
    if (!granted.has(service) && service !== KERNEL) {
      error(
        `guest "${guest.name}" requires ${service}, which it was not granted: add "${service}/*" to its grants`,
      );
    }
  }
  for (const grant of grants) {
    const service = serviceOf(grant);
    const method = splitMethodName(grant)?.method;
    const because = `guest "${guest.name}" is granted ${grant}, and`;
    if (!owners.has(service))
      warning(
        `${because} nobody serves that${hint(service, owners)}: take it out, or add who does`,
      );
    else if (!isThere(service, method)) {
      const similar = similarName(method ?? "", methods.get(service) ?? []);
      const meant = similar === undefined ? "" : `; did you mean ${similar}?`;
      warning(`${because} ${service} has no such method${meant}: correct it`);
    } else if (method !== undefined && grants.includes(`${service}/*`))
      warning(`${because} ${service}/* as well: take one of them out`);
    else if (service === KERNEL) warning(`${because} every guest may call the kernel: take it out`);
    else if (declares !== undefined && !requires.includes(service))
      warning(
        `${because} does not require it according to its manifest: take it out, or let the manifest say so`,
      );
  }
}

function serviceOf(grant: string): string {
  return grant.slice(0, grant.indexOf("/"));
}

function checkNames(guests: readonly CheckedGuest[], { error, warning }: Checking): void {
  if (guests.length === 0) error("the deployment has no guest: add one");
  const names = guests.map((g) => g.config.name);
  for (const name of new Set(names.filter((n, i) => names.indexOf(n) !== i)))
    error(`two guests are named "${name}": rename one`);
  const main = guests.filter((g) => g.config.main === true).map((g) => `"${g.config.name}"`);
  if (main.length > 1) error(`${main.join(" and ")} are both main: keep one`);
  const commands = guests.filter((g) => g.module?.kind === "command");
  if (main.length === 0 && commands.length > 1) {
    const all = commands.map((g) => `"${g.config.name}"`).join(" and ");
    warning(
      `${all} are commands and none is main, so the exit code is that of whichever ends last: mark one with "main: true"`,
    );
  }
}
