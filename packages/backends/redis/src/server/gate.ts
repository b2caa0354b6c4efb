/**
 * Where commands wait while a connection is down.
 *
 * ```text
 *  shut ──── the outage is short ────▶ open: all who wait go on
 *    └─ it lasts longer than waitMs ─▶ barred: all who wait are refused, and so is everybody who comes
 * ```
 */
export class Gate {
  #state: "shut" | "barred" | "open" = "shut";
  #waiting: { go: () => void; refuse: () => void }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(waitMs: number) {
    this.#timer = setTimeout(() => this.#leave("barred"), waitMs);
    this.#timer.unref();
  }

  /** True: go on; false: it takes too long. */
  pass(signal: AbortSignal): boolean | Promise<boolean> {
    if (this.#state !== "shut") return this.#state === "open";
    return new Promise((resolve) => {
      const leave = (passed: boolean): void => {
        signal.removeEventListener("abort", gone);
        resolve(passed);
      };
      const waiter = { go: () => leave(true), refuse: () => leave(false) };
      const gone = (): void => {
        const place = this.#waiting.indexOf(waiter);
        if (place >= 0) this.#waiting.splice(place, 1);
        leave(false);
      };
      this.#waiting.push(waiter);
      signal.addEventListener("abort", gone);
    });
  }

  open(): void {
    this.#leave("open");
  }

  bar(): void {
    this.#leave("barred");
  }

  #leave(state: "barred" | "open"): void {
    if (this.#state === "open") return;
    clearTimeout(this.#timer);
    this.#state = state;
    for (const { go, refuse } of this.#waiting.splice(0)) {
      if (state === "open") go();
      else refuse();
    }
  }
}
