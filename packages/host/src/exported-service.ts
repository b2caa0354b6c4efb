import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Passage } from "@dropthrough/abi";
import {
  type ByteEntryInit,
  type Call,
  defineByteEntry,
  pathOf,
  type Registry,
} from "@dropthrough/dispatch";
import { noRoom } from "./guest-errors.ts";
import type { GuestInstance } from "./guest-instance.ts";
import type { GuestPool } from "./guest-pool.ts";
import { hasRoom } from "./stack-room.ts";
import { circleError, leadsTo, placeCall, type WaitPlace } from "./wait-cycle.ts";

/** A call that waits for an instance. */
interface Queued {
  /** Ascending, over all services of a host. */
  readonly number: number;
  readonly call: Call;
  /** Makes the call on an instance. */
  readonly run: (instance: GuestInstance) => void;
}

let lastNumber = 0;

/**
 * One service that guests export: any number of them, each with any number of instances. It is the entry that the registry
 * routes to, and chooses who takes the next call.
 *
 * ```text
 *  call ─▶ nobody queues, and a running instance is idle? ── yes ──▶ the one with the least in flight serves
 *                └── no ─▶ all of them wait for this very call? ── yes ──▶ FAILED_PRECONDITION
 *                                └── no ─▶ the queue, until one is free, the deadline, or the caller leaves
 * ```
 */
export class ExportedService implements ByteEntryInit, WaitPlace {
  readonly kind = "guest";
  readonly service: string;
  readonly #registry: Registry;
  readonly #exporters: GuestPool[] = [];
  readonly #queue: Queued[] = [];
  /** The last guest that exported it, and how that ended. */
  #gone = "";
  #whyExiting = "";
  #use: Disposable | undefined;

  constructor(service: string, registry: Registry) {
    this.service = service;
    this.#registry = registry;
  }

  /** The guests that export it, such as `words.facade`, or `a or b`. */
  get name(): string {
    return this.owners().join(" or ");
  }

  /** The contract as the guest that joined last knows it: a new version may have more methods. */
  get desc(): DescService | undefined {
    let desc: DescService | undefined;
    for (const { program } of this.#exporters) desc = program.desc(this.service) ?? desc;
    return desc;
  }

  owners(): readonly string[] {
    return [...new Set(this.#exporters.map((pool) => pool.name))];
  }

  running(): number {
    return this.#takers().filter((instance) => instance.state === "running").length;
  }

  /** The longest waiting call; undefined if none waits. */
  get next(): Queued | undefined {
    return this.#queue[0];
  }

  /**
   * A guest exports it as well.
   *
   * @throws ConnectError ALREADY_EXISTS if a backend or a link owns it: the message names both
   */
  join(pool: GuestPool): void {
    if (!this.#exporters.includes(pool)) this.#exporters.push(pool);
    if (this.#use !== undefined) return;
    try {
      this.#use = this.#registry.use(defineByteEntry(this));
    } catch (cause) {
      this.#remove(pool);
      if (!(cause instanceof TypeError)) throw cause;
      throw new ConnectError(cause.message, Code.AlreadyExists, undefined, undefined, cause);
    }
  }

  /** A guest exports it no more. After the last one nobody owns it, and those who wait are told. */
  leave(pool: GuestPool, lastWords: string): void {
    if (!this.#remove(pool) || this.#exporters.length > 0) return;
    this.#use?.[Symbol.dispose]();
    this.#use = undefined;
    this.#gone = `${pool.name} ${lastWords}`;
    for (const { call } of this.#queue.splice(0)) call.abort(this.#unavailable());
  }

  /** Guests that export it were asked to exit: calls that have not begun, and that nobody will take, are told. */
  exiting(reason: string): void {
    this.#whyExiting = reason;
    const takers = this.#takers();
    const lost = this.#queue.filter(({ call }) => !isOpen(takers, call));
    for (const { call } of lost) call.abort(this.#unavailable());
  }

  #unavailable(): ConnectError {
    const exits = this.#exporters.some((pool) =>
      pool.instances.some((instance) => instance.state === "exiting"),
    );
    const why = exits
      ? `${this.name} is exiting: ${this.#whyExiting}`
      : this.#exporters.length > 0
        ? `no instance of ${this.name} is running now: try again`
        : `nobody exports ${this.service} any more: ${this.#gone}`;
    return new ConnectError(why, Code.Unavailable);
  }

  #remove(pool: GuestPool): boolean {
    const at = this.#exporters.indexOf(pool);
    if (at >= 0) this.#exporters.splice(at, 1);
    return at >= 0;
  }

  /** Takes the longest waiting call out, for an idle instance. */
  take(instance: GuestInstance): void {
    this.#queue.shift()?.run(instance);
  }

  answer(_method: string, request: Uint8Array, call: Call): Uint8Array | Promise<Uint8Array> {
    const idle = this.#idle(call);
    if (idle !== undefined && this.#queue.length === 0)
      return withRoom(idle, call).serve(request, call);
    return this.#wait(idle, request, call);
  }

  pass(passage: Passage, call: Call): Uint8Array | number | Promise<Uint8Array | number> {
    const idle = this.#idle(call);
    if (idle !== undefined && this.#queue.length === 0)
      return withRoom(idle, call).serve(passage, call);
    return this.#wait(idle, passage.copy(), call);
  }

  /** There is nobody who could serve now: the call queues, if somebody may at all. */
  #wait(idle: GuestInstance | undefined, body: Uint8Array, call: Call): Promise<Uint8Array> {
    const takers = this.#takers();
    if (!isOpen(takers, call)) throw this.#unavailable();
    if (takers.every((instance) => leadsTo(instance, call)))
      throw circleError(this.name, pathOf(call));
    const waiting = this.#enqueue(body, call);
    // Those who came first are served first.
    idle?.offer();
    return waiting;
  }

  /** An instance has begun to wait: calls that wait for that very instance are told so. */
  blocked(): void {
    const takers = this.#queue.length === 0 ? [] : this.#takers();
    // Where nobody takes calls now, they wait for one that is being started again.
    if (takers.length === 0) return;
    const stuck = this.#queue.filter(({ call }) => takers.every((one) => leadsTo(one, call)));
    for (const { call } of stuck) call.abort(circleError(this.name, pathOf(call)));
  }

  takers(): readonly GuestInstance[] {
    return this.#takers();
  }

  #takers(): GuestInstance[] {
    const takers: GuestInstance[] = [];
    for (const pool of this.#exporters)
      for (const instance of pool.instances)
        if (instance.takesCalls && instance.exports(this.service)) takers.push(instance);
    return takers;
  }

  /** The idle instance with the least to do; of several, the one whose last turn is longest ago. */
  #idle(call: Call): GuestInstance | undefined {
    const instances = this.#exporters[0]?.instances;
    const only = this.#exporters.length === 1 && instances?.length === 1 ? instances[0] : undefined;
    if (only === undefined) return this.#best(call);
    return this.#isFree(only, call) ? only : undefined;
  }

  #best(call: Call): GuestInstance | undefined {
    let best: GuestInstance | undefined;
    for (const pool of this.#exporters) {
      for (const instance of pool.instances) {
        if (!this.#isFree(instance, call)) continue;
        if (best === undefined || isBetter(instance, best, call.name)) best = instance;
      }
    }
    return best;
  }

  #isFree(instance: GuestInstance, call: Call): boolean {
    if (!instance.idle || !instance.exports(this.service)) return false;
    return instance.state === "running" || call.parent !== undefined;
  }

  #enqueue(body: Uint8Array, call: Call): Promise<Uint8Array> {
    let most = 0;
    for (const { limits } of this.#exporters) most += limits.queue;
    if (this.#queue.length >= most) {
      throw new ConnectError(
        `${most} calls wait for ${this.name} already: try again later`,
        Code.ResourceExhausted,
      );
    }
    return new Promise((resolve, reject) => {
      const run = (instance: GuestInstance): void => {
        try {
          resolve(instance.serve(body, call));
        } catch (error) {
          reject(error);
        }
      };
      const queued: Queued = { number: ++lastNumber, call, run };
      this.#queue.push(queued);
      placeCall(call, this);
      call.onAbort(() => {
        const at = this.#queue.indexOf(queued);
        if (at >= 0) this.#queue.splice(at, 1);
      });
    });
  }
}

/**
 * The instance, if it has room to run in: its callers may have used up the stack, which is no reason for it to crash.
 *
 * @throws ConnectError RESOURCE_EXHAUSTED if not
 */
function withRoom(instance: GuestInstance, call: Call): GuestInstance {
  if (!hasRoom(instance.sharesStack)) throw noRoom(instance.name, call.name);
  return instance;
}

/** Whether somebody may take a call: one that exits only takes those made on behalf of others. */
function isOpen(takers: readonly GuestInstance[], call: Call): boolean {
  return takers.some(({ state }) => state === "running" || call.parent !== undefined);
}

/** Whether an instance is the better one to take a call: it knows the method, has less in flight, waits longer for a turn. */
function isBetter(one: GuestInstance, other: GuestInstance, name: string): boolean {
  if (one.knows(name) !== other.knows(name)) return one.knows(name);
  const less = one.inFlight - other.inFlight;
  return less < 0 || (less === 0 && one.turn < other.turn);
}
