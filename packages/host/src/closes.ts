/** What is to be closed when a caller has ended, the last one first. */
export class Closes {
  readonly #closes: (() => void | Promise<void>)[] = [];
  readonly #incident: (error: unknown) => void;

  /** @param incident hears of what cannot be closed; the rest is closed all the same */
  constructor(incident: (error: unknown) => void) {
    this.#incident = incident;
  }

  add(close: () => void | Promise<void>): void {
    this.#closes.push(close);
  }

  async run(): Promise<void> {
    for (let close = this.#closes.pop(); close !== undefined; close = this.#closes.pop()) {
      try {
        await close();
      } catch (error) {
        this.#incident(error);
      }
    }
  }
}
