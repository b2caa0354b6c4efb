import type { CallRecord, Directory, Guest } from "@dropthrough/dispatch";
import type { SeededScheduler } from "@dropthrough/host/testing";

/** What holds in every scenario, in whatever order: broken ones are told together at the end. */
export class Invariants {
  readonly #open = new Map<number, string>();
  readonly #answered = new Set<number>();
  readonly #broken: string[] = [];

  broken(sentence: string): void {
    this.#broken.push(sentence);
  }

  started(call: CallRecord): void {
    this.#open.set(call.id, `${call.caller.name} ${call.name}`);
  }

  /** Each call is answered exactly once. */
  ended(call: CallRecord): void {
    if (this.#answered.has(call.id)) this.broken(`${call.name} was answered twice`);
    else if (!this.#open.delete(call.id))
      this.broken(`${call.name} was answered before it was made`);
    this.#answered.add(call.id);
  }

  /** Guests are launched in topological order. */
  launched(guest: Guest, directory: Directory): void {
    const services = new Map(directory.services().map((s) => [s.name, s.running]));
    for (const service of guest.required) {
      if ((services.get(service) ?? 0) === 0)
        this.broken(`${guest.name} runs before ${service}, which it requires`);
    }
  }

  /** @throws Error that names all that was broken so far */
  check(): void {
    if (this.#broken.length > 0) throw new Error([...new Set(this.#broken)].join("; "));
  }

  /**
   * At the end nothing is left.
   *
   * @throws Error that names all that was broken
   */
  checkEnd(schedule: SeededScheduler): void {
    for (const call of this.#open.values()) this.broken(`${call} was never answered`);
    const { ready, timers } = schedule.pending;
    if (ready > 0 || timers > 0)
      this.broken(`${ready} deliveries and ${timers} timers are left at the end`);
    this.check();
  }
}
