import type { Guest } from "@dropthrough/dispatch";
import { excerpt } from "./excerpt.ts";
import type { StartGraph } from "./start-graph.ts";

/** A message that names several guests stays short. */
const MOST_REASON = 256;

/** What is known of a guest that has gone. */
type Departure = Pick<Guest, "name" | "mayExport" | "exitedWith">;

/** Who was here, and with which words it went: what whoever requires a provider that is gone wants to know. */
export class Departures {
  #here: readonly Guest[] = [];
  /**
   * How each guest ended last. One entry for each name that the operator gave, so it is bounded; nothing of the instance
   * itself is kept, whose memory is large.
   */
  readonly #gone = new Map<string, Departure>();

  /** Remembers who is here now. */
  see(guests: readonly Guest[]): void {
    for (const { state, name, mayExport, exitedWith } of this.#here)
      if (state === "exited") this.#gone.set(name, { name, mayExport, exitedWith });
    this.#here = guests;
  }

  /** The guests that might have exported a service, had they not exited: `facade, which exited with code 3 (no)`. */
  of(service: string, graph: StartGraph): string | undefined {
    const here = new Set(graph.guests.map((guest) => guest.name));
    const gone = [...this.#gone.values()]
      .filter((guest) => !here.has(guest.name) && guest.mayExport.includes(service))
      .map((guest) => `${guest.name}, which ${wordsOf(guest)}`);
    return gone.length === 0 ? undefined : gone.join(" and ");
  }
}

function wordsOf({ exitedWith }: Departure): string {
  if (exitedWith === undefined) return "ended";
  const { code, reason } = exitedWith;
  return `exited with code ${code}${reason === "" ? "" : ` (${excerpt(reason, MOST_REASON)})`}`;
}
