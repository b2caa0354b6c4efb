import { Code, ConnectError } from "@connectrpc/connect";
import { copyBytes } from "@dropthrough/abi";
import {
  type Call,
  type Caller,
  defineByteEntry,
  pathOf,
  type Scheduler,
  type Session,
} from "@dropthrough/dispatch";
import type { GuestConfig } from "./guest-config.ts";
import type { GuestExit } from "./guest-exit.ts";
import { EXIT_PANIC, EXIT_TRAP } from "./guest-exit.ts";
import { GuestInstance } from "./guest-instance.ts";
import type { GuestProgram } from "./guest-program.ts";
import type { HostCore } from "./host-core.ts";
import type { Limits } from "./limits.ts";

/** A call that waits for a free instance. */
interface Queued {
  readonly name: string;
  readonly call: Call;
  readonly service: string;
  /** Makes the call on an instance. */
  readonly run: (instance: GuestInstance) => void;
}

/**
 * All instances of one guest: who of them takes the next call, who waits, and what happens when one dies.
 *
 * ```text
 *  call ─▶ an idle instance? ── yes ──▶ it serves
 *                └── no ─▶ all of them wait for this very call? ── yes ──▶ FAILED_PRECONDITION
 *                                └── no ─▶ the queue, until one is free, the deadline, or the caller leaves
 * ```
 */
export class GuestPool {
  readonly config: GuestConfig;
  readonly program: GuestProgram;
  readonly limits: Limits;
  readonly #core: HostCore;
  readonly #instances = new Set<GuestInstance>();
  readonly #entries = new Map<string, Disposable>();
  readonly #queue: Queued[] = [];
  readonly #restarts: number[] = [];
  /** Instances that are about to take the place of one that crashed. */
  #starting = 0;
  #last = 0;

  constructor(config: GuestConfig, program: GuestProgram, limits: Limits, core: HostCore) {
    this.config = config;
    this.program = program;
    this.limits = limits;
    this.#core = core;
  }

  get name(): string {
    return this.config.name;
  }

  get clock(): Scheduler {
    return this.#core.registry.clock;
  }

  /** Every instance that has not exited. */
  get instances(): ReadonlySet<GuestInstance> {
    return this.#instances;
  }

  /** No instance is left, and none will come. */
  get ended(): boolean {
    return this.#instances.size === 0 && this.#starting === 0;
  }

  connect(caller: Caller): Session {
    return this.#core.connect(caller, this.config);
  }

  incident(error: unknown): string {
    return this.#core.incident(error);
  }

  changed(): void {
    this.#core.changed();
  }

  /** Makes its instances known, so that nobody who starts before them takes them for missing. */
  prepare(): void {
    for (let i = 0; i < (this.config.instances ?? 1); i++) this.#add();
  }

  /** Starts its instances, each in its turn; settles when all were. */
  async start(): Promise<void> {
    const starts = [...this.#instances].map(
      async (instance) =>
        new Promise<void>((resolve) =>
          this.clock.soon(() => {
            instance.start();
            resolve();
          }),
        ),
    );
    await Promise.all(starts);
  }

  #add(): GuestInstance {
    const instance = new GuestInstance(this, ++this.#last);
    this.#instances.add(instance);
    this.changed();
    return instance;
  }

  /**
   * Makes this guest the owner of a service; the second instance joins the first.
   *
   * @throws ConnectError ALREADY_EXISTS if somebody else owns it
   */
  own(service: string): void {
    if (this.#entries.has(service)) return;
    const entry = defineByteEntry({
      kind: "guest",
      name: this.name,
      service,
      desc: this.program.desc(service),
      running: () => this.#running(service).length,
      answer: (method, request, call) =>
        this.#answer(service, `${service}/${method}`, request, call),
    });
    try {
      this.#entries.set(service, this.#core.registry.use(entry));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new ConnectError(cause.message, Code.AlreadyExists, undefined, undefined, cause);
    }
  }

  #running(service: string): GuestInstance[] {
    return [...this.#instances].filter((i) => i.state === "running" && i.exported.has(service));
  }

  /** The idle instance with the least to do. */
  #idle(service: string): GuestInstance | undefined {
    let least: GuestInstance | undefined;
    for (const instance of this.#instances) {
      if (!instance.idle || !instance.exported.has(service)) continue;
      if (least === undefined || instance.inFlight < least.inFlight) least = instance;
    }
    return least;
  }

  #answer(
    service: string,
    name: string,
    request: Uint8Array,
    call: Call,
  ): Uint8Array | Promise<Uint8Array> {
    const idle = this.#idle(service);
    // The guest's memory may move before the callee reads the request: it gets bytes of its own.
    const body = copyBytes(request, 0, request.length);
    if (idle !== undefined) return idle.serve(name, body, call);
    const running = this.#running(service);
    if (running.length === 0) {
      throw new ConnectError(
        `no instance of ${this.name} is running now: try again`,
        Code.Unavailable,
      );
    }
    if (running.every((instance) => waitsFor(instance, call))) {
      throw new ConnectError(
        `${this.name} would have to answer itself: ${pathOf(call)}; give it more instances or break the circle`,
        Code.FailedPrecondition,
      );
    }
    return this.#enqueue(service, name, body, call);
  }

  #enqueue(service: string, name: string, body: Uint8Array, call: Call): Promise<Uint8Array> {
    if (this.#queue.length >= this.limits.queue) {
      throw new ConnectError(
        `${this.limits.queue} calls wait for ${this.name} already: try again later`,
        Code.ResourceExhausted,
      );
    }
    return new Promise((resolve, reject) => {
      const run = (instance: GuestInstance): void => {
        try {
          resolve(instance.serve(name, body, call));
        } catch (error) {
          reject(error);
        }
      };
      const queued: Queued = { name, call, service, run };
      this.#queue.push(queued);
      call.onAbort(() => {
        const at = this.#queue.indexOf(queued);
        if (at >= 0) this.#queue.splice(at, 1);
      });
    });
  }

  /** An instance has become free: soon, the longest waiting call that it can serve is next. */
  freed(): void {
    if (this.#queue.length > 0) this.clock.soon(() => this.#drain());
  }

  #drain(): void {
    for (let at = 0; at < this.#queue.length; at++) {
      const queued = this.#queue[at];
      if (queued === undefined) return;
      const idle = this.#idle(queued.service);
      if (idle === undefined) continue;
      this.#queue.splice(at--, 1);
      queued.run(idle);
    }
  }

  /** An instance has ended. One that crashed is started again, within the budget. */
  exited(instance: GuestInstance, code: number): void {
    this.#instances.delete(instance);
    const crashed = code === EXIT_TRAP || code === EXIT_PANIC;
    const again =
      crashed &&
      this.program.shape.kind === "reactor" &&
      instance.exported.size > 0 &&
      this.#mayRestart();
    this.clock.settled(
      instance.ended,
      (exit) => this.#core.left(this, exit),
      () => {},
    );
    if (again) {
      this.#starting++;
      this.clock.soon(() => {
        this.#starting--;
        if (!this.#core.closing) this.#add().start();
      });
    }
    if (this.ended) this.#retire();
    this.changed();
  }

  #mayRestart(): boolean {
    const now = this.clock.now();
    while ((this.#restarts[0] ?? now) < now - this.limits.restartWindowMs) this.#restarts.shift();
    if (this.#core.closing || this.#restarts.length >= this.limits.restarts) return false;
    this.#restarts.push(now);
    return true;
  }

  /** Nobody is left who could serve: what it owned is free, and those who wait are told. */
  #retire(): void {
    for (const entry of this.#entries.values()) entry[Symbol.dispose]();
    this.#entries.clear();
    const gone = new ConnectError(`${this.name} has exited`, Code.Unavailable);
    for (const { call } of this.#queue.splice(0)) call.abort(gone);
  }

  /** Ends every instance and waits until all that they opened is closed. */
  async close(reason: string): Promise<GuestExit[]> {
    const instances = [...this.#instances];
    for (const instance of instances) instance.exit(0, reason);
    return Promise.all(instances.map((i) => i.ended));
  }
}

/** Whether an instance waits for this very call: it makes it, or one that led to it. */
function waitsFor(instance: GuestInstance, call: Call): boolean {
  for (let up: Call | undefined = call; up !== undefined; up = up.parent)
    if (up.caller === instance) return true;
  return false;
}
