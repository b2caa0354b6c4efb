import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import { Chain, type Link } from "./chain.ts";
import { type Caller, callerKey, callerSymbol } from "./caller.ts";
import { SentValues } from "./sent-values.ts";
import type { Clock } from "./guest.ts";
import type { Method } from "./method.ts";
import { newSpan, readTraceparent, type TraceContext, type TraceParent } from "./trace-context.ts";

/**
 * One call on its way through the registry. To a handler it is Connect's `HandlerContext`; to an observer it is
 * the record of the call. Whatever costs something is made when it is first asked for.
 */
export class Call implements HandlerContext, CallRecord {
  // Only declared: a field that is defined is written once more, with undefined, before the constructor sets it.
  declare readonly id: number;
  declare readonly target: Method;
  declare readonly caller: Caller;
  declare readonly parent: Call | undefined;
  declare readonly depth: number;

  // An observed call has these, any other stays small. Their defaults are on the prototype.
  declare startedAt: number;
  declare durationMs: number;
  declare code: Code | 0;
  declare error: ConnectError | undefined;
  declare requestBytes: number | undefined;
  declare responseBytes: number | undefined;
  declare request: Message | Uint8Array | undefined;
  declare response: Message | Uint8Array | undefined;
  static {
    // Not written as a getter: declarations cannot be made of one that an imported symbol names.
    Object.defineProperty(this.prototype, callerSymbol, {
      get(this: Call) {
        return this.caller;
      },
    });
    Object.assign(this.prototype, { startedAt: 0, durationMs: 0, code: 0 });
  }

  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #deadline: number | undefined | null = null;
  #aborted: ConnectError | undefined;
  #done = false;
  #answer: Armed | undefined;
  #rare: Rare | undefined;

  /**
   * @param parent the call that the caller was answering when it made this one
   * @param timeoutMs in milliseconds from now, above 0; or 0 for the deadline of the parent alone
   */
  constructor(
    id: number,
    target: Method,
    caller: Caller,
    parent: Call | undefined,
    timeoutMs: number,
    clock: Clock,
  ) {
    this.id = id;
    this.target = target;
    this.caller = caller;
    this.parent = parent;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** What a program sends along, before the call starts. */
  send(values: ContextValues | undefined, requestHeader: Headers | undefined): void {
    if (values !== undefined) this.#parts().values = new SentValues(values, this.caller);
    if (requestHeader !== undefined) this.#parts().requestHeader = requestHeader;
  }

  get requestMethod(): string {
    return "POST";
  }

  get protocolName(): string {
    return "dropthrough";
  }

  // No private getter: the engine goes to its runtime for one.
  #parts(): Rare {
    return (this.#rare ??= new Rare());
  }

  /** `package.Service/Method`. */
  get name(): string {
    return this.target.name;
  }

  get method(): DescMethod {
    if (this.target.desc === undefined) throw new Error(`no descriptor is known for ${this.name}`);
    return this.target.desc;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get url(): string {
    return `dropthrough://${this.target.entry.name}/${this.name}`;
  }

  get requestHeader(): Headers {
    return (this.#parts().requestHeader ??= new Headers());
  }

  get responseHeader(): Headers {
    return (this.#parts().responseHeader ??= new Headers());
  }

  get responseTrailer(): Headers {
    return (this.#parts().responseTrailer ??= new Headers());
  }

  get values(): ContextValues {
    return (this.#parts().values ??= createContextValues().set(callerKey, this.caller));
  }

  get trace(): TraceContext {
    let trace = traces.get(this);
    if (trace === undefined) {
      trace = newSpan(this.parent === undefined ? this.#traceparent() : this.parent.trace);
      traces.set(this, trace);
    }
    return trace;
  }

  get isTraced(): boolean {
    if (traces.has(this)) return true;
    return this.parent === undefined ? this.#traceparent() !== undefined : this.parent.isTraced;
  }

  #traceparent(): TraceParent | undefined {
    const header = this.#rare?.requestHeader?.get("traceparent") ?? undefined;
    return header === undefined ? undefined : readTraceparent(header);
  }

  /**
   * When the call has to be done, in milliseconds on the registry's clock; undefined if it may take for ever. Counted from when it is
   * first asked for: by the call's alarm after the handler has returned, up to 20 ms later where it may take a second or more.
   */
  get deadline(): number | undefined {
    if (this.#deadline === null) {
      const own = this.#timeoutMs > 0 ? this.#clock.now() + this.#timeoutMs : Infinity;
      const least = Math.min(own, this.parent?.deadline ?? Infinity);
      this.#deadline = least === Infinity ? undefined : least;
    }
    return this.#deadline;
  }

  // A function of its own, as Connect has it: a handler may take it out of its context.
  get timeoutMs(): () => number | undefined {
    return () =>
      this.deadline === undefined ? undefined : Math.max(0, this.deadline - this.#clock.now());
  }

  get signal(): AbortSignal {
    const parts = this.#parts();
    if (parts.controller === undefined) {
      parts.controller = new AbortController();
      if (this.#aborted !== undefined) parts.controller.abort(this.#aborted);
    }
    return parts.controller.signal;
  }

  /** Why the call was given up, once it was. */
  get aborted(): ConnectError | undefined {
    return this.#aborted;
  }

  /** Gives the call up: its signal is aborted, and so is every call made on its behalf. */
  abort(reason: ConnectError): void {
    if (this.#done || this.#aborted !== undefined) return;
    this.#aborted = reason;
    this.#disarm();
    const rare = this.#rare;
    const listeners = rare?.listeners;
    rare?.controller?.abort(reason);
    this.#answer?.failed(reason);
    if (rare === undefined) return;
    for (const listener of listeners ?? []) listener(reason);
    // Each of them leaves the list when it is given up.
    for (let child; (child = rare.children?.first) !== undefined;) child.call.abort(reason);
  }

  /** Calls `listener` when the call is given up; the function that it answers stops that. */
  onAbort(listener: (reason: ConnectError) => void): () => void {
    if (this.#aborted !== undefined) {
      listener(this.#aborted);
      return () => {};
    }
    const listeners = (this.#parts().listeners ??= new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** From now on the deadline, or the end of the parent, gives the call up. For calls that did not end at once. */
  arm(answer: Armed): void {
    if (this.#aborted !== undefined) return answer.failed(this.#aborted);
    this.#answer = answer;
    const { parent } = this;
    if (parent?.aborted !== undefined) return this.abort(parent.aborted);
    if (parent === undefined) {
      if (this.#deadline === null && this.#timeoutMs >= UNHURRIED_MS) answer.setAlarmLater();
      else this.#setAlarm(answer);
      return;
    }
    parent.#adopt(answer);
    // A parent with the same deadline takes the call with it when that has passed.
    if (parent.#done || parent.deadline !== this.deadline) this.#setAlarm(answer);
  }

  #setAlarm(answer: Armed): void {
    if (this.deadline !== undefined) answer.setAlarm(this.deadline);
  }

  /** Its deadline has passed. */
  late(): void {
    this.abort(
      new ConnectError(`${this.name} did not answer within its deadline`, Code.DeadlineExceeded),
    );
  }

  /** What a call comes to that its caller does not wait for any more. */
  givenUp(): ConnectError {
    return new ConnectError(`${this.name} was given up by its caller`, Code.Canceled);
  }

  /** Takes an answer in among those that are made on behalf of this call. */
  #adopt(answer: Armed): void {
    (this.#parts().children ??= new Chain()).add(answer);
  }

  /** Neither the deadline nor the parent gives the call up any more. */
  #disarm(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    if (answer.alarmed) answer.stopAlarm();
    if (this.parent !== undefined) this.parent.#rare?.children?.remove(answer);
  }

  /** The call is over; nothing gives it up any more. */
  end(): void {
    this.#done = true;
    if (this.#answer !== undefined) this.#disarm();
    const rare = this.#rare;
    if (rare === undefined) return;
    // Who listens has hold of what was asked and answered; who has not collected the call, or was called on its behalf, of the call.
    rare.listeners = rare.controller = undefined;
    // The calls that it leaves behind have to keep their deadline by themselves.
    for (let left = rare.children?.first; left !== undefined; left = left.next)
      if (!left.alarmed) left.call.#setAlarm(left);
  }
}

/**
 * The call that a handler is answering, with its id and its parent; undefined if it did not come through a registry
 * (but over HTTP, say).
 */
export function callOf(context: HandlerContext): CallRecord | undefined {
  return context instanceof Call ? context : undefined;
}

/** A call that may take so long, in milliseconds, need not look at the clock at once: its deadline is 2 percent late at most. */
const UNHURRIED_MS = 1000;

/** What a call is answered by that did not end at once; its neighbours are made on behalf of the same call. */
export interface Armed extends Link<Armed> {
  readonly call: Call;
  /** Is told why the call was given up. */
  failed(reason: ConnectError): void;
  /** Whether its deadline has an alarm. */
  readonly alarmed: boolean;
  /** @param at in milliseconds on the registry's clock: the call is late then */
  setAlarm(at: number): void;
  /** The alarm of a call on nobody's behalf: it asks for the deadline within 20 ms. */
  setAlarmLater(): void;
  stopAlarm(): void;
}

/** Of the calls that were asked for it; so those that nobody asks have not even a place for it. */
const traces = new WeakMap<Call, TraceContext>();

/** What few calls need. */
class Rare {
  values: ContextValues | undefined = undefined;
  requestHeader: Headers | undefined = undefined;
  responseHeader: Headers | undefined = undefined;
  responseTrailer: Headers | undefined = undefined;
  controller: AbortController | undefined = undefined;
  listeners: Set<(reason: ConnectError) => void> | undefined = undefined;
  /** The calls made on its behalf that are not done. */
  children: Chain<Armed> | undefined = undefined;
}

/** What is known of a call, for observers: traces, metrics, audits. */
export interface CallRecord {
  /** Unique within its registry, ascending in the order of the starts. */
  readonly id: number;
  /** `package.Service/Method`. */
  readonly name: string;
  readonly target: Method;
  readonly caller: Caller;
  readonly parent: CallRecord | undefined;
  /** How many calls it is nested in. */
  readonly depth: number;
  /** Where it stands in a distributed trace. Made when it is first asked for. */
  readonly trace: TraceContext;
  /** Whether it is part of a trace already: the program came with one, or somebody has asked for `trace`. */
  readonly isTraced: boolean;
  /** When it has to be done, in milliseconds on the registry's clock; undefined if it may take for ever. */
  readonly deadline: number | undefined;
  /** In milliseconds on the registry's clock. */
  readonly startedAt: number;
  /** In milliseconds; 0 until the end. */
  readonly durationMs: number;
  /** 0 for OK. */
  readonly code: Code | 0;
  /** What a failed call was answered with; until `ended` has returned, as the messages. */
  readonly error: ConnectError | undefined;
  /** Encoded size in bytes, where the message was encoded. */
  readonly requestBytes: number | undefined;
  readonly responseBytes: number | undefined;
  /** The message, or its encoding between guests; until `ended` has returned. */
  readonly request: Message | Uint8Array | undefined;
  readonly response: Message | Uint8Array | undefined;
}

/** Sees every call of a registry. It must not keep the messages; what it throws, or rejects with, is an incident, and changes nothing for the call. */
export interface CallObserver {
  started?(call: CallRecord): void;
  ended?(call: CallRecord): void;
  /** `bind` refused a name. */
  refused?(caller: Caller, name: string, error: ConnectError): void;
}
