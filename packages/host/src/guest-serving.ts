import type { HandlerContext } from "@connectrpc/connect";
import type { Incoming, Passage } from "@dropthrough/abi";
import type { Call, ExitEvent, GuestEvent, Session } from "@dropthrough/dispatch";
import type { GuestCode } from "./guest-code.ts";
import { cannotBeCalled, cannotReceive, notBound, withoutReply } from "./guest-errors.ts";
import type { GuestPool } from "./guest-pool.ts";
import { Receiver } from "./receiver.ts";
import { type Bytes, replyBody } from "./reply-body.ts";
import { placeCall, unplaceCall, type Waiter } from "./wait-cycle.ts";

let lastTurn = 0;

/** What serving needs of its instance. */
export interface GuestServingInit {
  readonly instance: Waiter;
  readonly pool: GuestPool;
  readonly session: Session;
  readonly code: GuestCode;
  /** Lets calls that wait for this guest come in. */
  readonly pull: () => void;
  /** A call has left its code. */
  readonly served: () => void;
  /** A call was replied to that had been waited for. */
  readonly replied: () => void;
}

/**
 * The calls that one instance answers: how each enters its code, and how its caller hears of the reply.
 *
 * ```text
 *  serve ─▶ accept ─┬─ dropthrough_v1_serve, until it returns or first suspends ─┬─ replied: the bytes
 *                   └─ the next Receive, for a guest that asks for its events ───┴─ not yet: a promise
 * ```
 */
export class GuestServing {
  /** When it was given its last call, as the number of that call among all; 0 if it had none. */
  turn = 0;
  /** Its entry, or a call that it serves, has not returned: it takes no other call. */
  occupied = true;
  /** It is inside of `dropthrough_v1_serve`. */
  entered = false;
  readonly #init: GuestServingInit;
  // What each call needs has one step less to go.
  readonly #session: Session;
  readonly #code: GuestCode;
  readonly #eventLoop: boolean;
  /** It owns its control flow, and asks for its calls. */
  #receiver: Receiver | undefined;

  constructor(init: GuestServingInit) {
    this.#init = init;
    this.#session = init.session;
    this.#code = init.code;
    this.#eventLoop = init.pool.program.shape.eventLoop;
  }

  /** Whether it asks for its calls. */
  get receives(): boolean {
    return this.#receiver !== undefined;
  }

  /** Whether a call can enter it now. */
  get idle(): boolean {
    if (this.#receiver !== undefined) return this.#receiver.wants;
    return !this.#code.stack.entered && (this.#eventLoop || !this.occupied);
  }

  /** `Guest.receive` */
  receive(
    timeoutMs: number | undefined,
    context: HandlerContext,
  ): GuestEvent | Promise<GuestEvent> {
    const { pool, session, pull } = this.#init;
    const { name, clock } = pool;
    const { endpoint } = this.#code;
    if (endpoint === undefined || this.entered || this.#eventLoop) throw cannotReceive(name);
    this.#receiver ??= new Receiver({ name, endpoint, session, clock, pull });
    return this.#receiver.receive(timeoutMs, context);
  }

  /** Tells a guest that asks for its events that it is to exit; false if it does not ask. */
  askExit(event: ExitEvent): boolean {
    return this.#receiver?.askExit(event) ?? false;
  }

  /** Its entry has returned: it asks for nothing any more. */
  idles(): void {
    this.occupied = false;
    this.#receiver?.end();
    this.#receiver = undefined;
  }

  /**
   * Answers a call. The pool has made sure that the instance is idle.
   *
   * @throws ConnectError whatever the guest replied; UNIMPLEMENTED if it never bound the method;
   *   INTERNAL if it returned without a reply; ABORTED if it trapped; UNAVAILABLE if it exited
   */
  serve(body: Uint8Array | Passage, call: Call): Bytes | Promise<Bytes> {
    const { name } = call.target;
    const { endpoint } = this.#code;
    const method = endpoint?.numberOf(name);
    if (endpoint === undefined || method === undefined) throw notBound(this.#init.pool.name, name);
    const receiver = this.#receiver;
    const incoming = endpoint.accept(body);
    this.turn = ++lastTurn;
    if (receiver === undefined) this.#enter(incoming, method, body.length, call);
    else receiver.take(incoming, method, body.length, call);
    if (incoming.reply !== undefined) return replyBody(incoming.reply);
    const { instance, replied } = this.#init;
    call.onAbort((reason) => {
      incoming.leave(reason.code);
      receiver?.left(call);
    });
    placeCall(call, instance);
    return new Promise((resolve, reject) => {
      incoming.listener = (reply) => {
        receiver?.drop(call);
        unplaceCall(call);
        replied();
        if (reply.ok) resolve(reply.body);
        else reject(reply.error);
      };
    });
  }

  #enter(incoming: Incoming, method: number, length: number, call: Call): void {
    const { stack, serve } = this.#code;
    if (serve === undefined) {
      incoming.end(() => cannotBeCalled(this.#init.pool.name, call.name));
      return;
    }
    this.occupied = this.entered = true;
    this.#session.current = call;
    const suspended = stack.run(serve, incoming.number, method, length);
    if (suspended === undefined) this.#left(incoming, call);
    else if (suspended !== null) stack.after(suspended, () => this.#left(incoming, call));
  }

  #left(incoming: Incoming, call: Call): void {
    this.#session.current = undefined;
    this.occupied = this.entered = false;
    this.#init.served();
    if (this.#eventLoop || incoming.reply !== undefined) return;
    incoming.end(() => withoutReply(this.#init.pool.name, call.name));
  }
}
