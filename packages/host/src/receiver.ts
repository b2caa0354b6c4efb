import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Endpoint, FinishedCalls, Incoming } from "@dropthrough/abi";
import {
  Call,
  type Clock,
  type ExitEvent,
  type GuestEvent,
  type Session,
} from "@dropthrough/dispatch";

/** What a receiver knows of its instance. */
export interface ReceiverInit {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly session: Session;
  readonly clock: Clock;
  /** Lets calls that wait for this guest come in. */
  readonly pull: () => void;
}

/**
 * The events of a guest that owns its control flow: it asks for one at a time, and is never called. Nothing happens to a
 * guest that does not ask; calls wait in its pool until it does.
 *
 * ```text
 *  receive ─▶ an exit request? ─▶ a finished call, an incoming one, in turns ─▶ none: the guest waits
 *               the event ◀── first come: a call comes in, one has finished, it is to exit, the timeout ──┘
 * ```
 */
export class Receiver {
  readonly #init: ReceiverInit;
  readonly #finished: FinishedCalls;
  /** Calls that came in and were not replied to, whose callers are still there. */
  readonly #held = new Map<Call, Incoming>();
  /** A Receive asks for an event, and has none yet. */
  #asking: ((event: GuestEvent) => void) | undefined;
  /** Events that a Receive was given up with. Each Receive has one at most, and one asks at a time. */
  readonly #kept: GuestEvent[] = [];
  #exit: { readonly event: ExitEvent; readonly until: number } | undefined;
  #finishedLast = false;
  /** The guest receives no more. */
  #over = false;

  constructor(init: ReceiverInit) {
    this.#init = init;
    this.#finished = init.endpoint.finishedCalls(() => this.#look());
  }

  /** Whether it would take an incoming call now. */
  get wants(): boolean {
    return this.#asking !== undefined;
  }

  /** `Guest.receive` */
  receive(
    timeoutMs: number | undefined,
    context: HandlerContext,
  ): GuestEvent | Promise<GuestEvent> {
    if (this.#asking !== undefined) {
      throw new ConnectError(
        `another Receive of ${this.#init.name} waits already: wait for it first`,
        Code.FailedPrecondition,
      );
    }
    const event = this.#next();
    if (event !== undefined) {
      // An interceptor may hold the answer back, and the call be given up meanwhile: then the event is for the next one.
      if (context instanceof Call) context.onAbort(() => this.#kept.push(event));
      return event;
    }
    if (timeoutMs === 0) return { kind: "timeout" };
    return new Promise((resolve) => {
      let given: GuestEvent | undefined;
      const stop =
        timeoutMs !== undefined &&
        this.#init.clock.after(timeoutMs, () => this.#asking?.({ kind: "timeout" }));
      const end = (): void => {
        this.#asking = undefined;
        if (stop !== false) stop();
      };
      this.#asking = (it) => {
        end();
        given = it;
        resolve(it);
      };
      // The call may be given up before its answer has reached the guest: then the event is for the next one.
      if (context instanceof Call)
        context.onAbort(() => {
          if (given === undefined) end();
          else if (given.kind !== "timeout") this.#kept.push(given);
        });
    });
  }

  /** What is there already. */
  #next(): GuestEvent | undefined {
    const kept = this.#kept.shift();
    if (kept !== undefined) return kept;
    return (
      this.#exitRequest() ??
      (this.#finishedLast
        ? (this.#incoming() ?? this.#finishedCall())
        : (this.#finishedCall() ?? this.#incoming()))
    );
  }

  #exitRequest(): GuestEvent | undefined {
    if (this.#exit === undefined) return undefined;
    const { event, until } = this.#exit;
    this.#exit = undefined;
    this.#init.session.current = undefined;
    return { ...event, graceMs: Math.max(0, until - this.#init.clock.now()) };
  }

  #finishedCall(): GuestEvent | undefined {
    const finished = this.#finished.take();
    if (finished === undefined) return undefined;
    this.#finishedLast = true;
    const { call } = finished.pending;
    const parent = call instanceof Call ? call.parent : undefined;
    // For a caller that has gone nothing more is to be done: what is still called for it is refused.
    const open = parent !== undefined && (this.#held.has(parent) || parent.aborted !== undefined);
    this.#init.session.current = open ? parent : undefined;
    return { kind: "finished", call: finished.number };
  }

  #incoming(): GuestEvent | undefined {
    let event: GuestEvent | undefined;
    this.#asking = (it) => {
      this.#asking = undefined;
      event = it;
    };
    this.#init.pull();
    this.#asking = undefined;
    return event;
  }

  /** Something has happened: whoever asks is told. */
  #look(): void {
    if (this.#asking === undefined || this.#over) return;
    const event = this.#exitRequest() ?? this.#finishedCall();
    if (event !== undefined) this.#asking(event);
  }

  /** A call comes in. The pool has made sure that it is wanted. */
  take(incoming: Incoming, method: number, length: number, call: Call): void {
    this.#held.set(call, incoming);
    this.#finishedLast = false;
    this.#init.session.current = call;
    this.#asking?.({ kind: "incoming", call: incoming.number, method, length });
  }

  /** A call that came in was replied to. */
  drop(call: Call): void {
    this.#held.delete(call);
    if (this.#init.session.current === call) this.#init.session.current = undefined;
  }

  /** The caller of a call that came in has gone. */
  left(call: Call): void {
    this.#held.delete(call);
  }

  /** The operator wants the guest to end: it is told when it asks. */
  askExit(event: ExitEvent): true {
    this.#exit = { event, until: this.#init.clock.now() + event.graceMs };
    this.#look();
    return true;
  }

  /** The guest will receive no more: callers that wait for a reply are answered INTERNAL. */
  end(): void {
    for (const [call, incoming] of this.#held) {
      incoming.end(
        () =>
          new ConnectError(
            `${this.#init.name} returned from its entry without a reply to ${call.name}`,
            Code.Internal,
          ),
      );
    }
    this.#held.clear();
    this.#asking?.({ kind: "timeout" });
    this.#over = true;
  }
}
