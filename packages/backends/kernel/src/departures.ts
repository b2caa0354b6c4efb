import type { Guest } from "@dropthrough/dispatch";
import { printable } from "./printable.ts";
import type { StartGraph } from "./start-graph.ts";

/** A message that names several guests stays short. */
const MOST_REASON = 256;

/** Who was here, and with which words it went: what an operator wants to know of a provider that is gone. */
export class Departures {
  /** What each guest may export. One entry for each name that the operator gave, so it is bounded. */
  readonly #seen = new Map<string, readonly string[]>();
  readonly #words = new Map<string, { readonly instance: number; readonly text: string }>();

  /** Remembers who is here now. What an earlier instance said is no word of a later one. */
  see(guests: readonly Guest[]): void {
    for (const { name, instance, mayExport } of guests) {
      this.#seen.set(name, mayExport);
      if (instance > (this.#words.get(name)?.instance ?? Infinity)) this.#words.delete(name);
    }
  }

  /** A guest says why it ends. */
  leaves(guest: Guest, code: number, reason: string): void {
    const why = reason === "" ? "" : ` (${printable(reason, MOST_REASON)})`;
    const text = `exited with code ${code}${why}`;
    this.#words.set(guest.name, { instance: guest.instance, text });
  }

  /** The guests that might have exported a service, had they not exited: `facade, which exited with code 3 (no)`. */
  of(service: string, graph: StartGraph): string | undefined {
    const here = new Set(graph.guests.map((guest) => guest.name));
    const gone = [...this.#seen]
      .filter(([name, mayExport]) => !here.has(name) && mayExport.includes(service))
      .map(([name]) => `${name}, which ${this.#words.get(name)?.text ?? "ended"}`);
    return gone.length === 0 ? undefined : gone.join(" and ");
  }
}
