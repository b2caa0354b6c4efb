import type { PendingListener } from "@dropthrough/abi";

/**
 * An answer that a callback will bring, such as the reply of a server: a handler may answer one instead of a promise. It
 * is a promise for whoever asks for one; the registry does not, so that what a call comes to is told at once, and not after a turn
 * of the microtasks with three objects more on the way.
 *
 * ```ts
 * const answer = new Deferred<GetResponse>();
 * socket.once("reply", (value) => answer.resolve({ value }));
 * return answer;
 * ```
 *
 * It is settled once; what comes after that is dropped, and so is a failure that nobody listens for.
 */
export class Deferred<T> implements Promise<T> {
  #state: "pending" | "resolved" | "rejected" = "pending";
  #outcome: unknown;
  #listener: PendingListener<T> | undefined;
  #promise: Promise<T> | undefined;

  resolve(value: T): void {
    if (this.#state !== "pending") return;
    this.#state = "resolved";
    this.#outcome = value;
    this.#listener?.done(value);
  }

  reject(error: unknown): void {
    if (this.#state !== "pending") return;
    this.#state = "rejected";
    this.#outcome = error;
    this.#listener?.failed(error);
  }

  /** Tells the outcome to the only listener there may be: as it is settled, or before this returns if it is. */
  settle(listener: PendingListener<T>): void {
    if (this.#listener !== undefined) throw new Error("a deferred answer has one listener");
    this.#listener = listener;
    if (this.#state === "resolved") listener.done(this.#outcome as T);
    else if (this.#state === "rejected") listener.failed(this.#outcome);
  }

  /** The promise that it stands for. Whoever asks for it is the listener. */
  get #asPromise(): Promise<T> {
    return (this.#promise ??= new Promise((resolve, reject) =>
      this.settle({ done: resolve, failed: reject }),
    ));
  }

  get [Symbol.toStringTag](): string {
    return "Deferred";
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  then<A = T, B = never>(
    done?: ((value: T) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#asPromise.then(done, failed);
  }

  catch<B = never>(failed?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#asPromise.catch(failed);
  }

  finally(run?: (() => void) | null): Promise<T> {
    return this.#asPromise.finally(run);
  }
}
