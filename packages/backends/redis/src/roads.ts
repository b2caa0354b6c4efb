import { type Clock, type Health, systemClock } from "@dropthrough/dispatch";
import type { Connection } from "./connection.ts";
import { EmbeddedConnection } from "./embedded/embedded-connection.ts";
import { type Address, type Nodes, parseAddress, type RedisTls } from "./server/address.ts";
import { ServerConnection, type ServerLimits } from "./server/server-connection.ts";

/**
 * Where one Redis is: its URL; the URLs of some nodes of a cluster; or the URLs of sentinels, and that of the master with
 * the name that they have for it as its host: `redis://user:password@mymaster/0`.
 */
export type ConnectionAddress =
  | string
  | { readonly cluster: readonly string[] }
  | { readonly sentinels: readonly string[]; readonly url: string };

interface RoadOptions {
  readonly url?: string;
  readonly embedded?: boolean;
  readonly connections?: Readonly<Record<string, ConnectionAddress>>;
  readonly tls?: RedisTls;
  readonly embeddedBytes: number;
  readonly clock?: Clock;
}

/** The connections that the operator named. Each is made when it is first asked for, and shared by all guests. */
export class Roads {
  readonly #make = new Map<string, () => Connection>();
  readonly #roads = new Map<string, Connection>();

  /** @throws TypeError that says which option is wrong */
  constructor(options: RoadOptions, limits: ServerLimits) {
    const { url, embedded = url === undefined, connections = {} } = options;
    if (url !== undefined && connections["default"] !== undefined) {
      throw new TypeError("redis: url and connections.default are two names for one thing");
    }
    const fallback = embedded || url === undefined ? EMBEDDED : url;
    const addresses: Record<string, ConnectionAddress> = { default: fallback, ...connections };
    for (const [name, address] of Object.entries(addresses)) {
      if (address === EMBEDDED) {
        const clock = options.clock ?? systemClock;
        const { maxReplyBytes } = limits;
        this.#make.set(
          name,
          () => new EmbeddedConnection(clock, options.embeddedBytes, maxReplyBytes),
        );
      } else {
        const parse = (text: string): Address => parseAddress(text, name, options.tls);
        const nodes = nodesOf(address, parse);
        this.#make.set(name, () => new ServerConnection(nodes, limits));
      }
    }
  }

  /** The names that a guest may open. */
  get names(): readonly string[] {
    return [...this.#make.keys()];
  }

  get(name: string): Connection | undefined {
    let road = this.#roads.get(name);
    if (road === undefined) {
      road = this.#make.get(name)?.();
      if (road !== undefined) this.#roads.set(name, road);
    }
    return road;
  }

  /** Good if every connection in use is. */
  async health(): Promise<Health> {
    const asked = [...this.#roads].map(async ([name, road]) => ({
      name,
      ...(await road.health()),
    }));
    const found = await Promise.all(asked);
    const message = found.map((road) => `${road.name}: ${road.message ?? "ok"}`).join("; ");
    return { ok: found.every((road) => road.ok), message: message || "nothing is open" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const roads = [...this.#roads.values()];
    this.#roads.clear();
    this.#make.clear();
    for (const road of roads) await road[Symbol.asyncDispose]();
  }
}

function nodesOf(address: ConnectionAddress, parse: (url: string) => Address): Nodes {
  if (typeof address === "string") return parse(address);
  if ("cluster" in address) return { cluster: address.cluster.map(parse) };
  return { sentinels: address.sentinels.map(parse), master: parse(address.url) };
}

const EMBEDDED = "embedded:";
