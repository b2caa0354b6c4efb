import type { Directory, Guest, ServiceInfo } from "@dropthrough/dispatch";

/**
 * One look at who has to run before whom. The nodes are guests by name (all instances of one guest are one
 * node); a guest has an edge to every guest that exports, or may still come to export, a service that it requires.
 * A service of a backend or a link has no edges: it runs, or comes back by itself.
 *
 * ```text
 *  words.client ──requires words.v1.WordsService──▶ words.facade ──requires …RedisService──▶ (a backend)
 * ```
 */
export class StartGraph {
  /** Every instance that has not exited, in the order of the host. */
  readonly guests: readonly Guest[];
  readonly services: ReadonlyMap<string, ServiceInfo>;
  readonly #exporters = new Map<string, Set<string>>();
  readonly #required = new Map<string, Set<string>>();

  constructor(directory: Directory) {
    this.guests = directory.guests();
    this.services = new Map(directory.services().map((service) => [service.name, service]));
    for (const guest of this.guests) {
      for (const service of guest.exported) add(this.#exporters, service, guest.name);
      if (guest.state === "starting")
        for (const service of guest.mayExport) add(this.#exporters, service, guest.name);
      for (const service of guest.required) add(this.#required, guest.name, service);
    }
  }

  /** The names of the guests that export a service, or are starting and may come to export it. */
  exporters(service: string): readonly string[] {
    const kind = this.services.get(service)?.kind ?? "guest";
    return kind === "guest" ? [...(this.#exporters.get(service) ?? [])] : [];
  }

  /** Whether a service takes calls now. */
  runs(service: string): boolean {
    return (this.services.get(service)?.running ?? 0) > 0;
  }

  /** What a guest still waits for. */
  missing(guest: Guest): string[] {
    return [...guest.required].filter((service) => !this.runs(service));
  }

  /** Whether waiting for a service can help: somebody may come to export it, or its owner is being started again. */
  mayCome(service: string): boolean {
    return this.services.has(service) || this.exporters(service).length > 0;
  }

  /**
   * The path of a cycle that requirements would close: `["a", "b", "a"]`; undefined if they close none.
   * Each guest is visited once, however many services are asked for.
   */
  cycle(guest: Guest, services: Iterable<string>): string[] | undefined {
    const cameFrom = new Map<string, string>();
    const found = (last: string): string[] => {
      const path = [guest.name];
      for (let at = last; at !== guest.name; at = cameFrom.get(at) ?? guest.name) path.unshift(at);
      return [guest.name, ...path];
    };
    let next: [string, Iterable<string>][] = [[guest.name, services]];
    while (next.length > 0) {
      const further: typeof next = [];
      for (const [name, required] of next) {
        for (const exporter of new Set([...required].flatMap((s) => this.exporters(s)))) {
          if (exporter === guest.name) return found(name);
          if (cameFrom.has(exporter)) continue;
          cameFrom.set(exporter, name);
          further.push([exporter, this.#required.get(exporter) ?? []]);
        }
      }
      next = further;
    }
    return undefined;
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}
