/**
 * The silence of a server that something was asked of. It may hang without closing its connection: then only time tells.
 *
 * ```text
 *  begin ──▶ looked at four times in mostMs ──▶ too long? once more ──▶ tooLong
 *              ▲ broken: it counts anew   └─ nothing is asked any more: nobody looks
 * ```
 */
export class Silence {
  readonly #mostMs: number;
  readonly #isAsked: () => boolean;
  readonly #tooLong: (ms: number) => void;
  #signs = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param isAsked whether the server still has something to answer
   * @param tooLong is called once it has said nothing for `mostMs`
   */
  constructor(mostMs: number, isAsked: () => boolean, tooLong: (ms: number) => void) {
    this.#mostMs = mostMs;
    this.#isAsked = isAsked;
    this.#tooLong = tooLong;
  }

  /** Something is asked. The silence before it does not count. */
  begin(): void {
    this.#timer ??= this.#look();
  }

  /** The server says something. */
  broken(): void {
    this.#signs++;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): NodeJS.Timeout {
    let heard = this.#signs;
    let heardAt = performance.now();
    let suspected = false;
    return setInterval(() => {
      const now = performance.now();
      const silentMs = now - heardAt;
      if (!this.#isAsked()) {
        this.end();
      } else if (heard !== this.#signs) {
        heard = this.#signs;
        heardAt = now;
        suspected = false;
      } else if (suspected) {
        this.end();
        this.#tooLong(silentMs);
      } else {
        // It may be this process that was busy, with the answer waiting to be read: look once more.
        suspected = silentMs >= this.#mostMs;
      }
    }, this.#mostMs / 4);
  }
}
