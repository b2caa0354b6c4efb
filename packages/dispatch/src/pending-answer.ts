import type { Pending, PendingListener } from "@dropthrough/abi";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Armed, Call } from "./call.ts";
import { type Dispatch, failed, type Measured, succeeded } from "./call-outcome.ts";
import type { Answer } from "./interceptor.ts";

/**
 * A call that did not end at once. It ends once: by its own outcome, its deadline or its caller's leaving. Written with callbacks:
 * each promise more would be a turn of the event loop's microtasks on the way of every asynchronous call.
 */
export class PendingAnswer<Response> implements Pending<Response>, Armed {
  readonly call: Call;
  stopTimer: (() => void) | undefined = undefined;
  next: Armed | undefined = undefined;
  previous: Armed | undefined = undefined;
  readonly #dispatch: Dispatch;
  readonly #answer: Answer<never, Response>;
  readonly #measured: Measured<Response> | undefined;
  #over = false;
  #listener: PendingListener<Response> | undefined;
  /** How it ended, before anybody listened. */
  #tell: ((listener: PendingListener<Response>) => void) | undefined;

  constructor(
    dispatch: Dispatch,
    call: Call,
    answer: Answer<never, Response>,
    measured: Measured<Response> | undefined,
    promise: PromiseLike<unknown>,
  ) {
    this.call = call;
    this.#dispatch = dispatch;
    this.#answer = answer;
    this.#measured = measured;
    dispatch.clock.settled(
      promise,
      (answered) => this.#done(answered),
      (error) => this.failed(error),
    );
    call.arm(this);
  }

  settle(listener: PendingListener<Response>): void {
    this.#listener = listener;
    const tell = this.#tell;
    // Never told before this has returned.
    if (tell !== undefined) this.#dispatch.clock.soon(() => tell(listener));
  }

  cancel(): void {
    const { call } = this;
    call.abort(new ConnectError(`${call.name} was given up by its caller`, Code.Canceled));
  }

  #done(answered: unknown): void {
    if (this.#over) return;
    let response: Response;
    try {
      response = this.#answer.response(answered);
    } catch (error) {
      return this.failed(error);
    }
    this.#over = true;
    succeeded(this.#dispatch, this.call, response, this.#measured);
    if (this.#listener !== undefined) this.#listener.done(response);
    else this.#tell = (listener) => listener.done(response);
  }

  failed(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const failure = failed(this.#dispatch, this.call, error);
    if (this.#listener !== undefined) this.#listener.failed(failure);
    else this.#tell = (listener) => listener.failed(failure);
  }
}
