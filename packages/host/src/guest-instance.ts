import type { HandlerContext } from "@connectrpc/connect";
import type { Passage } from "@dropthrough/abi";
import {
  Call,
  type Caller,
  type ExitEvent,
  type Guest,
  type GuestEvent,
  type Session,
} from "@dropthrough/dispatch";
import { Closes } from "./closes.ts";
import { ExitHook } from "./exit-hook.ts";
import type { ExitOptions } from "./exit-options.ts";
import { GracefulExit } from "./graceful-exit.ts";
import {
  clampExitCode,
  endError,
  EXIT_NO_ENTRY,
  EXIT_NOT_LAUNCHED,
  type GuestExit,
  Unwind,
} from "./guest-exit.ts";
import { launchedAlready, mayNotExport } from "./guest-errors.ts";
import { GuestCode } from "./guest-code.ts";
import type { GuestPool } from "./guest-pool.ts";
import { GuestServing } from "./guest-serving.ts";
import { crashOf } from "./panic.ts";
import type { Bytes } from "./reply-body.ts";
import { breakCircle, type Waiter } from "./wait-cycle.ts";

/**
 * One running instance of a guest. To the registry it is a caller, to the kernel a `Guest`, to its pool
 * something that serves.
 *
 * ```text
 *  start ─▶ starting ── launch ──▶ running ⇄ busy with one call ── exit, trap ──▶ exited
 *              │                     └── askExit ──▶ exiting ── nothing in flight ────▲
 *              └───────────── exit, trap ─────────────────────────────────────────────▲
 * ```
 */
export class GuestInstance implements Guest, Caller, Waiter {
  readonly instance: number;
  readonly exported: Set<string> = new Set();
  readonly required: Set<string> = new Set();
  state: Guest["state"] = "starting";
  exitedWith: Guest["exitedWith"];
  /** Settles, never rejects, when the instance has ended and all that it opened is closed. */
  readonly ended: Promise<GuestExit>;

  readonly #pool: GuestPool;
  readonly #session: Session;
  readonly #code: GuestCode;
  readonly #serving: GuestServing;
  /** How it is to end, once it was told to. */
  #leaving: Unwind | undefined;
  /** Its turn to start has come. */
  #begun = false;
  #launchFailure: string | undefined;
  #graceful: GracefulExit | undefined;
  /** It was asked to exit, and takes calls made on behalf of those in flight. */
  #nested = false;
  /** It was ended before it was done. */
  #late = false;
  readonly #hook: ExitHook;
  #asked: string | undefined;
  readonly #closes: Closes;
  #end!: (exit: GuestExit) => void;

  constructor(pool: GuestPool, instance: number) {
    this.#pool = pool;
    this.instance = instance;
    this.#session = pool.connect(this);
    this.#code = new GuestCode({
      pool,
      session: this.#session,
      failed: (error) => this.#fail(error),
      waits: (call) => this.#waits(call),
      listens: () => this.state !== "exited",
      told: () => {
        // It may have replied to a call whose caller had left, which nobody else hears of.
        this.#graceful?.look();
        pool.freed(this);
      },
    });
    this.#serving = new GuestServing({
      instance: this,
      pool,
      session: this.#session,
      code: this.#code,
      pull: () => pool.drain(this),
      served: () => {
        this.#leave();
        pool.freed(this);
      },
      replied: () => {
        if (this.#graceful !== undefined) pool.clock.soon(() => this.look());
      },
    });
    const { eventLoop } = pool.program.shape;
    this.#hook = new ExitHook(pool.name, this.#code, pool.clock, eventLoop);
    const { name, clock, limits } = pool;
    this.#closes = new Closes(name, clock, limits.closeMs, (error) => pool.incident(error));
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  get name(): string {
    return this.#pool.name;
  }
  get guest(): Guest {
    return this;
  }
  get arguments(): readonly string[] {
    return this.#pool.config.arguments ?? [];
  }
  get environment(): Readonly<Record<string, string>> {
    return this.#pool.config.environment ?? {};
  }
  get mayExport(): readonly string[] {
    return this.#pool.config.exports ?? [];
  }
  /** Whether it runs; also while it exits, for calls made on behalf of those in flight. */
  get takesCalls(): boolean {
    if (this.#pool.holding) return false;
    return this.state === "running" || (this.state === "exiting" && this.#nested);
  }
  /** Whether what it serves runs on the host's stack. */
  get sharesStack(): boolean {
    return this.#pool.program.sharesStack;
  }
  /** Whether it can take a call now. */
  get idle(): boolean {
    return this.takesCalls && this.#serving.idle;
  }

  /** Whether it has exported a service. */
  exports(service: string): boolean {
    // Most guests are asked for one, over and over; and nothing that was exported is taken back.
    if (service === this.#asked) return true;
    if (!this.exported.has(service)) return false;
    this.#asked = service;
    return true;
  }

  /** Whether it has bound a method, `package.Service/Method`. */
  knows(method: string): boolean {
    return this.#code.endpoint?.numberOf(method) !== undefined;
  }

  /** Lets it take a call that waits, if there is one. */
  offer(): void {
    this.#pool.freed(this);
  }

  /** How many calls it is answering now. */
  get inFlight(): number {
    return this.#code.endpoint?.incoming ?? 0;
  }

  get receives(): boolean {
    return this.#serving.receives;
  }

  /** When it was given its last call, as the number of that call among all; 0 if it had none. */
  get turn(): number {
    return this.#serving.turn;
  }

  get waitsFor(): Call | undefined {
    const call = this.#code.endpoint?.waiting?.call;
    return call instanceof Call ? call : undefined;
  }

  defer(close: () => void | Promise<void>): void {
    this.#closes.add(close);
    if (this.state === "exited") void this.#closes.run();
  }

  export(service: string): void {
    if (this.state !== "starting") throw launchedAlready(this.name);
    if (!this.mayExport.includes(service)) throw mayNotExport(this.name, service);
    this.#pool.own(service);
    this.exported.add(service);
    this.#pool.changed();
  }

  require(service: string): void {
    this.required.add(service);
    this.#pool.changed();
  }

  receive(
    timeoutMs: number | undefined,
    context: HandlerContext,
  ): GuestEvent | Promise<GuestEvent> {
    return this.#serving.receive(timeoutMs, context);
  }

  launch(): void {
    if (this.state !== "starting") return;
    this.state = "running";
    this.#launchFailure = undefined;
    this.#pool.changed();
  }

  launchFailed(reason: string): void {
    if (this.state === "starting") this.#launchFailure = reason;
  }

  atExit(encode: (exit: ExitEvent) => Uint8Array): number {
    return this.#hook.set(encode);
  }

  exit(code: number, reason: string): void {
    const failed = clampExitCode(code) === 0 && this.#launchFailure !== undefined;
    this.#leaving ??= failed ? this.#notLaunched() : new Unwind(clampExitCode(code), reason);
    this.#code.endpoint?.unwind(this.#leaving);
    this.#leave();
  }

  /** Ends it for the operator, whatever it is doing. */
  end(code: number, reason: string): void {
    this.#launchFailure = undefined;
    this.exit(code, reason);
  }

  #notLaunched(): Unwind {
    return new Unwind(EXIT_NOT_LAUNCHED, `its launch had failed: ${this.#launchFailure}`);
  }

  /** It runs an export, or is suspended in one. */
  get #running(): boolean {
    return this.#code.stack.entered || (this.#begun && this.#serving.occupied);
  }

  /** Ends it, if it is to end and is not running: then no import can unwind it. */
  #leave(): void {
    if (this.#leaving !== undefined && !this.#running)
      this.#finish(this.#leaving.code, this.#leaving.message);
    this.#graceful?.look();
  }

  /**
   * The operator wants it to end: it gets the time to do so.
   *
   * @param nested whether it still takes calls made on behalf of those in flight
   * @param isNeeded whether such calls may still come
   */
  askExit(options: Required<ExitOptions>, nested: boolean, isNeeded: () => boolean): void {
    const { code, reason } = options;
    if (this.state === "exited") return;
    if (this.#graceful !== undefined) {
      // Nobody had asked for the time that it has.
      if (this.#pool.replaced) this.#graceful.hurry(options.graceMs);
      return;
    }
    const command = this.#pool.program.shape.kind === "command";
    if (!this.#begun || (this.state === "starting" && !command)) return this.end(code, reason);
    this.state = "exiting";
    this.#nested = nested;
    this.#graceful = new GracefulExit(
      {
        clock: this.#pool.clock,
        isNeeded,
        isBusy: () => this.#running || this.inFlight > 0,
        tell: (event) => this.#serving.askExit(event),
        runHook: (event) => this.#runHook(event, options),
        end: (late) => {
          this.#late = late;
          this.end(code, reason);
        },
      },
      options,
      this.#pool.limits.exitHooksMs,
    );
    // A program that does not ask for its events cannot be told: it ends when the call that it waits for is done.
    if (this.#running && !this.#serving.entered && !this.receives)
      this.#code.endpoint?.unwind(
        (this.#leaving ??= new Unwind(clampExitCode(code), reason)),
        false,
      );
    this.#graceful.look();
  }

  /** Something has changed elsewhere: if it was asked to exit, it may be able to. */
  look(): void {
    this.#graceful?.look();
  }

  #runHook(event: ExitEvent, { code, reason }: Required<ExitOptions>): boolean {
    return this.#hook.run(event, {
      begins: () => (this.#serving.occupied = this.#serving.entered = true),
      returned: () => (this.#serving.occupied = false),
      done: () => this.end(code, reason),
    });
  }

  /** Instantiates the module and runs its entry; returns when that first suspends or ends. */
  start(): void {
    if (this.state === "exited") return;
    this.#begun = true;
    if (!this.#code.instantiate()) return;
    const { shape } = this.#pool.program;
    const entered = this.#code.runEntry(() => {
      // One that was told to end may have caught what unwinds it.
      if (shape.kind === "command")
        this.#finish(this.#leaving?.code ?? 0, this.#leaving?.message ?? "");
      else this.#idle();
    });
    if (entered) return;
    if (shape.serves) this.#idle();
    else
      this.#finish(
        EXIT_NO_ENTRY,
        "the module exports neither _start nor _initialize nor dropthrough_v1_serve",
      );
  }

  /** Its entry has returned: it runs, if it has not said so by itself. */
  #idle(): void {
    this.#serving.idles();
    if (this.#launchFailure !== undefined) return this.#finish(0, "");
    this.launch();
    this.#leave();
    this.#pool.freed(this);
  }

  /**
   * Answers a call. The pool has made sure that the instance is idle.
   *
   * @throws ConnectError as `GuestServing.serve`
   */
  serve(body: Uint8Array, call: Call): Uint8Array | Promise<Uint8Array>;
  serve(body: Uint8Array | Passage, call: Call): Bytes | Promise<Bytes>;
  serve(body: Uint8Array | Passage, call: Call): Bytes | Promise<Bytes> {
    return this.#serving.serve(body, call);
  }

  /** It begins to wait for another guest: if that closes a circle, it is broken. */
  #waits(call: Call): void {
    breakCircle(call);
    this.#pool.blocked();
  }

  #fail(error: unknown): void {
    const { code, message } = error instanceof Unwind ? error : crashOf(error, this.#code.exports);
    this.#finish(code, message);
  }

  /** Ends the instance: its calls are answered, all that it opened is closed. */
  #finish(code: number, reason: string): void {
    if (this.state === "exited") return;
    if (code === 0 && this.#launchFailure !== undefined)
      ({ code, message: reason } = this.#notLaunched());
    this.state = "exited";
    this.#code.stack.close();
    this.exitedWith = { code, reason };
    this.#graceful?.stop();
    this.#code.endpoint?.close(endError(this.name, this.exitedWith, this.#late));
    void this.#closes
      .run()
      .then(() => this.#end({ guest: this.name, instance: this.instance, code, reason }));
    this.#pool.exited(this, code);
  }
}
