import { splitMethodName } from "@dropthrough/dispatch";
import { checkGuest, type CheckedGuest } from "./checked-guest.ts";
import type { Config } from "./config.ts";

const KERNEL = "dropthrough.kernel.v1.KernelService";

/** Who is in a deployment. */
export interface GraphNode {
  readonly kind: "guest" | "backend" | "nobody";
  /** The name that the operator or the backend gave it; empty for nobody. */
  readonly name: string;
  /** That a guest is main, ends by itself, or runs in several instances; empty if there is nothing to say. */
  readonly about: readonly string[];
  /** Full names of the services that it answers for. */
  readonly services: readonly string[];
}

/** A guest may call a service, or requires it. */
export interface GraphEdge {
  readonly from: GraphNode;
  readonly to: GraphNode;
  readonly service: string;
  /** Its manifest says that it waits for the service. */
  readonly requires: boolean;
  /** The methods that it was granted; `*` for all of them; none if it requires the service without leave to call it. */
  readonly grants: readonly string[];
}

/** Who calls whom in a deployment, and with which leave. */
export interface DeploymentGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * Reads the graph of a deployment out of its configuration and the manifests of its guests.
 *
 * @param warn told why a module cannot be read; then the configuration alone says what its guest does
 */
export async function readGraph(
  config: Config,
  warn: (message: string) => void,
): Promise<DeploymentGraph> {
  const guests = await Promise.all(
    (config.guests ?? []).map(async (guest) => checkGuest(guest, config.limits ?? {}, warn)),
  );
  const nodes: GraphNode[] = guests.map((guest) => ({
    kind: "guest",
    name: guest.config.name,
    about: aboutOf(guest),
    services: guest.exports,
  }));
  for (const { name, service } of config.backends ?? []) {
    const about = service.typeName === KERNEL ? ["every guest may call it"] : [];
    nodes.push({ kind: "backend", name, about, services: [service.typeName] });
  }
  const nobody = new Map<string, GraphNode>();
  const edges: GraphEdge[] = [];
  let left = 0;
  for (const [at, guest] of guests.entries()) {
    const from = nodes[at];
    if (from === undefined) continue;
    const granted = grantsOf(guest);
    for (const service of new Set([...guest.requires, ...granted.keys()])) {
      const owners = nodes.filter((node) => node.services.includes(service));
      if (owners.length === 0) {
        const missing = nobody.get(service) ?? emptyNode(service);
        if (edges.length < MOST_EDGES) nobody.set(service, missing);
        owners.push(missing);
      }
      for (const to of owners) {
        if (edges.length >= MOST_EDGES) {
          left++;
          continue;
        }
        const requires = guest.requires.includes(service);
        edges.push({ from, to, service, requires, grants: granted.get(service) ?? [] });
      }
    }
  }
  if (left > 0) warn(`the graph has more than ${MOST_EDGES} lines: ${left} are left out`);
  return { nodes: [...nodes, ...nobody.values()], edges };
}

/** More than this nobody reads; guests that share services make the square of their number. */
const MOST_EDGES = 10_000;

function emptyNode(service: string): GraphNode {
  return { kind: "nobody", name: "", about: [], services: [service] };
}

function aboutOf({ config, module }: CheckedGuest): string[] {
  const { instances = 1, main = false } = config;
  return [
    ...(main ? ["main"] : []),
    ...(module === undefined ? ["not built"] : module.kind === "command" ? ["command"] : []),
    ...(instances > 1 ? [`${instances} instances`] : []),
  ];
}

/** The granted methods of each service. */
function grantsOf({ config }: CheckedGuest): Map<string, string[]> {
  const granted = new Map<string, string[]>();
  for (const grant of config.grants ?? []) {
    const service = grant.slice(0, Math.max(0, grant.indexOf("/")));
    const method = splitMethodName(grant)?.method ?? "*";
    if (service === "") continue;
    const methods = granted.get(service) ?? [];
    granted.set(service, method === "*" || methods[0] === "*" ? ["*"] : [...methods, method]);
  }
  return granted;
}
