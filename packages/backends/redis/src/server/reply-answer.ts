import type { ConnectError } from "@connectrpc/connect";
import { Deferred } from "@dropthrough/dispatch";
import type { Reply, Unanswered } from "../connection.ts";
import type { Asked } from "./asked.ts";

/** Who counts what is under way. */
export interface Counts {
  /** So many were answered. */
  ended(weight: number): void;
  /** What to say of so many that failed. */
  failed(error: unknown, weight: number): ConnectError;
}

/** What a call is answered by that sent one command: what `read` makes of its reply. */
export class ReplyAnswer<T> extends Deferred<T> implements Asked {
  readonly #counts: Counts;
  readonly #unanswered: Unanswered;
  readonly #read: (reply: Reply) => T;

  /** @param unanswered counts it, as long as it is under way */
  constructor(counts: Counts, unanswered: Unanswered, read: (reply: Reply) => T) {
    super();
    this.#counts = counts;
    this.#unanswered = unanswered;
    this.#read = read;
    unanswered.count++;
  }

  answered(reply: Reply): void {
    this.#counts.ended(1);
    this.#unanswered.count--;
    let value: T;
    try {
      value = this.#read(reply);
    } catch (error) {
      this.reject(error);
      return;
    }
    this.resolve(value);
  }

  failed(error: unknown): void {
    this.#unanswered.count--;
    this.reject(this.#counts.failed(error, 1));
  }
}
