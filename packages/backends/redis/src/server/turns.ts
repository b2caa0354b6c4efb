/** Does things of the same name one after the other. Those of different names do not wait for each other. */
export class Turns {
  /** What ends with the last one that was asked for; it never rejects. */
  readonly #last = new Map<string, Promise<void>>();

  /** Does it at once, if nothing of that name is under way. */
  async take(name: string, next: () => Promise<void>): Promise<void> {
    const turn = this.#last.get(name)?.then(next) ?? next();
    const ended = turn.catch(() => {});
    this.#last.set(name, ended);
    try {
      await turn;
    } finally {
      if (this.#last.get(name) === ended) this.#last.delete(name);
    }
  }
}
