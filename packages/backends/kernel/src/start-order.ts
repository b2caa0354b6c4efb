import { Code, ConnectError } from "@connectrpc/connect";
import type { Directory, Guest } from "@dropthrough/dispatch";

/**
 * Who has to run before whom. The nodes are guests by name (all instances of one guest are one node); a guest
 * has an edge to every guest that exports, or may still come to export, a service that it requires.
 *
 * ```text
 *  words.client ──requires words.v1.WordsService──▶ words.facade ──requires …RedisService──▶ (a backend: it runs)
 * ```
 */
export class StartOrder {
  readonly #directory: Directory;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /**
   * The path of the cycle that a requirement would close: `["a", "b", "a"]`; undefined if it closes none.
   */
  cycle(guest: Guest, service: string): string[] | undefined {
    const seen = new Set<string>();
    const search = (name: string, path: readonly string[]): string[] | undefined => {
      if (name === guest.name) return [...path, name];
      if (seen.has(name)) return undefined;
      seen.add(name);
      const required = this.#directory
        .guests()
        .filter((g) => g.name === name)
        .flatMap((g) => [...g.required]);
      for (const next of required.flatMap((s) => this.exporters(s))) {
        const found = search(next, [...path, name]);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    for (const exporter of this.exporters(service)) {
      const found = search(exporter, [guest.name]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The names of the guests that export a service, or are starting and may come to export it. */
  exporters(service: string): string[] {
    const guests = this.#directory
      .guests()
      .filter((g) => g.exported.has(service) || mayCome(g, service));
    return [...new Set(guests.map((g) => g.name))];
  }

  /** Whether a service takes calls now. */
  runs(service: string): boolean {
    return (this.#directory.services().find((s) => s.name === service)?.running ?? 0) > 0;
  }

  /** What a guest still waits for. */
  missing(guest: Guest): string[] {
    return [...guest.required].filter((service) => !this.runs(service));
  }

  /**
   * Why a guest can never be launched, as far as is known now.
   *
   * @returns NOT_FOUND if nobody exports what it requires and nobody will; undefined if waiting may help
   */
  hopeless(guest: Guest): ConnectError | undefined {
    const service = this.missing(guest).find((s) => this.exporters(s).length === 0);
    if (service === undefined) return undefined;
    const similar = this.#similar(service);
    return new ConnectError(
      `${guest.name} requires ${service}, and nobody exports it${similar === undefined ? "" : `; did you mean ${similar}?`}: add a backend or a guest that serves it`,
      Code.NotFound,
    );
  }

  /** Who waits for whom, and why: one sentence for each guest that is not running. */
  diagnosis(): string {
    const waiting = this.#directory.guests().filter((guest) => guest.state === "starting");
    const sentences = waiting.map((guest) => {
      const missing = this.missing(guest);
      if (missing.length === 0) return `${guest.name} has not launched`;
      return missing
        .map((service) => {
          const exporters = this.exporters(service);
          return `${guest.name} waits for ${service} ${exporters.length === 0 ? "that nobody exports" : `of ${exporters.join(", ")}`}`;
        })
        .join("; ");
    });
    return [...new Set(sentences)].join("; ");
  }

  /** A service that somebody has, whose name is near to one that nobody has. */
  #similar(service: string): string | undefined {
    const known = new Map(this.#directory.services().map((s) => [s.name, s.owner]));
    for (const guest of this.#directory.guests())
      for (const s of guest.mayExport) known.set(s, guest.name);
    const [best] = [...known]
      .map(([name, owner]) => ({ name, owner, distance: distance(name, service) }))
      .filter((k) => k.distance <= Math.max(2, service.length / 4))
      .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
    return best === undefined ? undefined : `${best.name} of ${best.owner}`;
  }
}

function mayCome(guest: Guest, service: string): boolean {
  return guest.state === "starting" && guest.serves && guest.mayExport.includes(service);
}

/** How many letters have to be added, taken away or changed to make one name of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
