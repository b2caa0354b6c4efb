import type { Pending, PendingListener } from "@dropthrough/abi";
import type { Armed, Call } from "./call.ts";
import { type Dispatch, failed, type Measured, succeeded } from "./call-outcome.ts";
import { Deferred } from "./deferred.ts";
import type { Answer } from "./interceptor.ts";
import type { LateAlarm } from "./system-clock.ts";

/**
 * A call that did not end at once. It ends once: by its own outcome, its deadline or its caller's leaving. Written with callbacks:
 * each promise more would be a turn of the event loop's microtasks on the way of every asynchronous call.
 */
export class PendingAnswer<Response>
  implements Pending<Response>, PendingListener<unknown>, Armed, LateAlarm
{
  readonly call: Call;
  /** Above 0 once it is known. */
  at = 0;
  alarmed = false;
  /** It has ended. */
  over = false;
  next: PendingAnswer<unknown> | undefined = undefined;
  previous: PendingAnswer<unknown> | undefined = undefined;
  readonly #dispatch: Dispatch;
  readonly #answer: Answer<never, Response>;
  readonly #measured: Measured<Response> | undefined;
  /** On a clock that keeps no alarms. */
  #stop: (() => void) | undefined;
  #listener: PendingListener<Response> | undefined;
  /** How it ended, before anybody listened. */
  #tell: ((listener: PendingListener<Response>) => void) | undefined;

  constructor(
    dispatch: Dispatch,
    call: Call,
    answer: Answer<never, Response>,
    measured: Measured<Response> | undefined,
    answered: PromiseLike<unknown>,
  ) {
    this.call = call;
    this.#dispatch = dispatch;
    this.#answer = answer;
    this.#measured = measured;
    if (answered instanceof Deferred && dispatch.clock.prompt === true) answered.settle(this);
    else
      dispatch.clock.settled(
        Promise.resolve(answered),
        (value) => this.done(value),
        (error) => this.failed(error),
      );
    if (!this.over) call.arm(this);
  }

  settle(listener: PendingListener<Response>): void {
    this.#listener = listener;
    const tell = this.#tell;
    if (tell === undefined) return;
    this.#tell = undefined;
    // Never told before this has returned.
    this.#dispatch.clock.soon(() => tell(listener));
  }

  cancel(): void {
    this.call.abort(this.call.givenUp());
  }

  done(answered: unknown): void {
    if (this.over) return;
    let response: Response;
    try {
      response = this.#answer.response(answered);
    } catch (error) {
      return this.failed(error);
    }
    this.over = true;
    succeeded(this.#dispatch, this.call, response, this.#measured);
    const listener = this.#leave();
    if (listener !== undefined) listener.done(response);
    else this.#tell = (late) => late.done(response);
  }

  setAlarm(at: number): void {
    const { clock } = this.#dispatch;
    this.at = at;
    this.alarmed = true;
    if (clock.alarms !== undefined) clock.alarms.add(this);
    else this.#stop = clock.after(Math.max(0, at - clock.now()), () => this.ring());
  }

  setAlarmLater(): void {
    const { alarms } = this.#dispatch.clock;
    if (alarms === undefined) return this.setAlarm(this.#deadline);
    this.alarmed = true;
    alarms.addLater(this);
  }

  lookUp(): void {
    this.at = this.#deadline;
  }

  get #deadline(): number {
    return this.call.deadline ?? Infinity;
  }

  stopAlarm(): void {
    const { alarms } = this.#dispatch.clock;
    this.alarmed = false;
    if (this.#stop !== undefined) this.#stop();
    else if (this.at === 0) alarms?.cancelLater(this);
    else alarms?.cancelled();
  }

  ring(): void {
    this.alarmed = false;
    this.call.late();
  }

  failed(error: unknown): void {
    if (this.over) return;
    this.over = true;
    const failure = failed(this.#dispatch, this.call, error);
    const listener = this.#leave();
    if (listener !== undefined) listener.failed(failure);
    else this.#tell = (late) => late.failed(failure);
  }

  /** The alarms may keep a call that is over for a while: not what was answered. */
  #leave(): PendingListener<Response> | undefined {
    const listener = this.#listener;
    this.#listener = undefined;
    return listener;
  }
}
