import { type Backend, defineBackend } from "@dropthrough/dispatch";
import { renamed } from "./loop-guest.ts";

/** The service that guests of a benchmark ask how often they are to do it now. The answer below 0 ends them. */
export const GATE = "bench.v1.GateService";

/**
 * Where guests wait between two samples: they run all the while, so that a sample measures calls and no starts.
 *
 * ```text
 *  guest ── Echo ──▶ waits ─┬─ all are here: `round` ends ── next `round` ──▶ how often ──▶ guest
 * ```
 */
export class Gate {
  readonly #guests: number;
  readonly #waiting: ((times: number) => void)[] = [];
  #full: (() => void) | undefined;

  /** @param guests how many there are */
  constructor(guests: number) {
    this.#guests = guests;
  }

  get backend(): Backend {
    return defineBackend({
      name: "gate",
      service: renamed(GATE),
      impl: {
        echo: async () =>
          new Promise<{ payload: Buffer }>((resolve) => {
            this.#waiting.push((times) => {
              const payload = Buffer.alloc(4);
              payload.writeInt32LE(times);
              resolve({ payload });
            });
            if (this.#waiting.length === this.#guests) this.#full?.();
          }),
      },
    });
  }

  /** Lets the guests do something `times` times together; answers how many nanoseconds that took. */
  async round(times: number): Promise<number> {
    await this.#all();
    const going = this.#waiting.splice(0, times);
    const each = Math.floor(times / going.length);
    const more = times % going.length;
    const start = process.hrtime.bigint();
    for (const [index, go] of going.entries()) go(each + (index < more ? 1 : 0));
    await this.#all();
    return Number(process.hrtime.bigint() - start);
  }

  /** Ends the guests. */
  async end(): Promise<void> {
    await this.#all();
    for (const go of this.#waiting.splice(0)) go(-1);
  }

  async #all(): Promise<void> {
    if (this.#waiting.length === this.#guests) return;
    await new Promise<void>((resolve) => (this.#full = resolve));
  }
}
