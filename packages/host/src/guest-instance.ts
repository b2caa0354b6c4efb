import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import {
  ABI_MODULE,
  Endpoint,
  type Incoming,
  GuestMemory,
  type Passage,
  type Reply,
} from "@dropthrough/abi";
import {
  Call,
  type Caller,
  type Guest,
  type GuestEvent,
  type Session,
} from "@dropthrough/dispatch";
import {
  clampExitCode,
  EXIT_NO_ENTRY,
  EXIT_PANIC,
  EXIT_TRAP,
  type GuestExit,
  Unwind,
} from "./guest-exit.ts";
import { guestImports } from "./guest-imports.ts";
import { type Export, GuestStack } from "./guest-stack.ts";
import type { GuestPool } from "./guest-pool.ts";
import { readPanic } from "./panic.ts";
import { Receiver } from "./receiver.ts";
import { breakCircle, placeCall, unplaceCall, type Waiter } from "./wait-cycle.ts";

let lastTurn = 0;

/** A response as bytes; or how many of it stand in the caller's buffer already. */
type Bytes = Uint8Array | number;

/**
 * One running instance of a guest. To the registry it is a caller, to the kernel a `Guest`, to its pool
 * something that serves.
 *
 * ```text
 *  start ─▶ starting ── launch ──▶ running ⇄ busy with one call ── exit, trap ──▶ exited
 *              └───────────── exit, trap ─────────────────────────────────────────▲
 * ```
 */
export class GuestInstance implements Guest, Caller, Waiter {
  readonly instance: number;
  readonly exported: Set<string> = new Set();
  readonly required: Set<string> = new Set();
  state: Guest["state"] = "starting";
  /** When it was given its last call, as the number of that call among all; 0 if it had none. */
  turn = 0;
  /** Settles, never rejects, when the instance has ended and all that it opened is closed. */
  readonly ended: Promise<GuestExit>;

  readonly #pool: GuestPool;
  readonly #session: Session;
  readonly #stack: GuestStack;
  #endpoint: Endpoint | undefined;
  #exports: WebAssembly.Exports = {};
  #serve: Export | undefined;
  /** It owns its control flow, and asks for its calls. */
  #receiver: Receiver | undefined;
  /** It is inside of `dropthrough_v1_serve`. */
  #serving = false;
  /** How it is to end, once it was told to. */
  #leaving: Unwind | undefined;
  /** Its turn to start has come. */
  #begun = false;
  /** Its entry, or a call that it serves, has not returned: it takes no other call. */
  #occupied = true;
  #delivering = false;
  readonly #closes: (() => void | Promise<void>)[] = [];
  #end!: (exit: GuestExit) => void;

  constructor(pool: GuestPool, instance: number) {
    this.#pool = pool;
    this.instance = instance;
    this.#stack = new GuestStack(pool.clock, (error) => this.#fail(error));
    this.#session = pool.connect(this);
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
  /** Whether it can take a call now. */
  get idle(): boolean {
    if (this.#receiver !== undefined) return this.state === "running" && this.#receiver.wants;
    return (
      this.state === "running" &&
      !this.#stack.entered &&
      (this.#pool.program.shape.eventLoop || !this.#occupied)
    );
  }

  /** Whether it has bound a method, `package.Service/Method`. */
  knows(method: string): boolean {
    return this.#endpoint?.numberOf(method) !== undefined;
  }

  /** Lets it take a call that waits, if there is one. */
  offer(): void {
    this.#pool.freed(this);
  }

  /** How many calls it is answering now. */
  get inFlight(): number {
    return this.#endpoint?.incoming ?? 0;
  }

  get receives(): boolean {
    return this.#receiver !== undefined;
  }

  get waitsFor(): Call | undefined {
    const call = this.#endpoint?.waiting?.call;
    return call instanceof Call ? call : undefined;
  }

  defer(close: () => void | Promise<void>): void {
    if (this.state === "exited") void close();
    else this.#closes.push(close);
  }

  export(service: string): void {
    if (this.state !== "starting") {
      throw new ConnectError(
        `${this.name} was launched already: export before Launch`,
        Code.FailedPrecondition,
      );
    }
    if (!this.mayExport.includes(service)) {
      throw new ConnectError(
        `${this.name} may not export ${service}: add it to the exports of ${this.name}`,
        Code.PermissionDenied,
      );
    }
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
    const endpoint = this.#endpoint;
    if (endpoint === undefined || this.#serving || this.#pool.program.shape.eventLoop) {
      throw new ConnectError(
        `${this.name} is called by the host, so it cannot receive: call Receive in _start or _initialize of a module without dropthrough_v1_done`,
        Code.FailedPrecondition,
      );
    }
    this.#receiver ??= new Receiver({
      name: this.name,
      endpoint,
      session: this.#session,
      clock: this.#pool.clock,
      pull: () => this.#pool.drain(this),
    });
    return this.#receiver.receive(timeoutMs, context);
  }

  launch(): void {
    if (this.state !== "starting") return;
    this.state = "running";
    this.#pool.changed();
  }

  exit(code: number, reason: string): void {
    this.#leaving ??= new Unwind(clampExitCode(code), reason);
    this.#endpoint?.unwind(this.#leaving);
    this.#leave();
  }

  /** Ends it, if it is to end and is not running: then no import can unwind it. */
  #leave(): void {
    const running = this.#stack.entered || (this.#begun && this.#occupied);
    if (this.#leaving !== undefined && !running)
      this.#finish(this.#leaving.code, this.#leaving.message);
  }

  /** Instantiates the module and runs its entry; returns when that first suspends or ends. */
  start(): void {
    if (this.state === "exited") return;
    this.#begun = true;
    const { program } = this.#pool;
    try {
      this.#stack.entered = true;
      const instance = new WebAssembly.Instance(program.module, {
        [ABI_MODULE]: guestImports(
          () => this.#endpoint,
          () => this.#waits(),
        ),
      });
      this.#exports = instance.exports;
    } catch (error) {
      this.#fail(error);
      return;
    } finally {
      this.#stack.entered = false;
    }
    const memory = this.#exports["memory"] as WebAssembly.Memory;
    this.#endpoint = new Endpoint(new GuestMemory(memory), {
      limits: this.#pool.limits,
      bind: (name) => this.#session.bind(name),
      incident: (error) => this.#pool.incident(error),
      ...(program.shape.eventLoop && { finished: () => this.#deliverSoon() }),
    });
    this.#serve = this.#serveExport();
    const entry = this.#exports[program.shape.kind === "command" ? "_start" : "_initialize"];
    if (entry === undefined) {
      if (program.shape.serves) this.#idle();
      else
        this.#finish(
          EXIT_NO_ENTRY,
          "the module exports neither _start nor _initialize nor dropthrough_v1_serve",
        );
      return;
    }
    this.#stack.enter(this.#suspendable(entry, 0), 0, 0, () => {
      if (program.shape.kind === "command") this.#finish(0, "");
      else this.#idle();
    });
  }

  /** Its entry has returned: it runs, if it has not said so by itself. */
  #idle(): void {
    this.#occupied = false;
    this.#receiver?.end();
    this.#receiver = undefined;
    this.#leave();
    this.launch();
    this.#pool.freed(this);
  }

  /**
   * Answers a call. The pool has made sure that the instance is idle.
   *
   * @throws ConnectError whatever the guest replied; UNIMPLEMENTED if it never bound the method;
   *   INTERNAL if it returned without a reply; ABORTED if it trapped; UNAVAILABLE if it exited
   */
  serve(body: Uint8Array, call: Call): Uint8Array | Promise<Uint8Array>;
  serve(body: Uint8Array | Passage, call: Call): Bytes | Promise<Bytes>;
  serve(body: Uint8Array | Passage, call: Call): Bytes | Promise<Bytes> {
    const { name } = call.target;
    const endpoint = this.#endpoint;
    const method = endpoint?.numberOf(name);
    if (endpoint === undefined || method === undefined) {
      throw new ConnectError(
        `${this.name} exports the service but did not bind ${name}: it does not implement it`,
        Code.Unimplemented,
      );
    }
    const receiver = this.#receiver;
    const incoming = endpoint.accept(body);
    this.turn = ++lastTurn;
    if (receiver === undefined) this.#enterServe(incoming, method, body.length, call);
    else receiver.take(incoming, method, body.length, call);
    if (incoming.reply !== undefined) return replyBody(incoming.reply);
    call.onAbort((reason) => {
      incoming.leave(reason.code);
      receiver?.left(call);
    });
    placeCall(call, this);
    return new Promise((resolve, reject) => {
      incoming.listener = (reply) => {
        receiver?.drop(call);
        unplaceCall(call);
        if (reply.ok) resolve(reply.body);
        else reject(reply.error);
      };
    });
  }

  #enterServe(incoming: Incoming, method: number, length: number, call: Call): void {
    if (this.#serve === undefined) {
      incoming.end(
        () =>
          new ConnectError(
            `${this.name} neither exports dropthrough_v1_serve nor receives any more: it cannot answer ${call.name}`,
            Code.Unimplemented,
          ),
      );
      return;
    }
    this.#occupied = true;
    this.#serving = true;
    this.#session.current = call;
    const suspended = this.#stack.run(this.#serve, incoming.number, method, length);
    if (suspended === undefined) this.#served(incoming, call);
    else if (suspended !== null) this.#stack.after(suspended, () => this.#served(incoming, call));
  }

  #served(incoming: Incoming, call: Call): void {
    this.#session.current = undefined;
    this.#occupied = false;
    this.#serving = false;
    this.#leave();
    this.#pool.freed(this);
    if (this.#pool.program.shape.eventLoop || incoming.reply !== undefined) return;
    incoming.end(
      () =>
        new ConnectError(`${this.name} returned from ${call.name} without a reply`, Code.Internal),
    );
  }

  #serveExport(): Export | undefined {
    const serve = this.#exports["dropthrough_v1_serve"];
    if (serve === undefined) return undefined;
    return this.#pool.program.shape.eventLoop ? (serve as Export) : this.#suspendable(serve, 3);
  }

  /** An export that may be suspended on its way, if the guest ever waits. */
  #suspendable(run: WebAssembly.ExportValue, parameters: 0 | 3): Export {
    return this.#pool.program.waits ? this.#stack.suspendable(run, parameters) : (run as Export);
  }

  /** Delivers the results of a guest with an event loop, when it is not running. */
  #deliverSoon(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    this.#pool.clock.soon(() => {
      this.#delivering = false;
      const done = this.#exports["dropthrough_v1_done"] as Export;
      while (this.state !== "exited") {
        const next = this.#endpoint?.deliver();
        if (next === undefined) return;
        this.#stack.enter(done, next.call, next.word, () => this.#pool.freed(this));
      }
    });
  }

  /** It begins to wait: if that closes a circle, it is broken. */
  #waits(): void {
    const { waitsFor } = this;
    if (waitsFor === undefined || waitsFor.target.entry.kind === "backend") return;
    breakCircle(waitsFor);
    this.#pool.blocked();
  }

  #fail(error: unknown): void {
    if (error instanceof Unwind) this.#finish(error.code, error.message);
    else {
      const panic = readPanic(this.#exports);
      const reason = panic ?? (error instanceof Error ? error.message : String(error));
      this.#finish(panic === undefined ? EXIT_TRAP : EXIT_PANIC, reason);
    }
  }

  /** Ends the instance: its calls are answered, all that it opened is closed. */
  #finish(code: number, reason: string): void {
    if (this.state === "exited") return;
    this.state = "exited";
    this.#stack.close();
    const crashed = code > 192;
    this.#endpoint?.close(
      new ConnectError(
        crashed
          ? `${this.name} crashed while it answered`
          : `${this.name} has exited${reason === "" ? "" : `: ${reason}`}`,
        crashed ? Code.Aborted : Code.Unavailable,
      ),
    );
    void this.#close().then(() =>
      this.#end({ guest: this.name, instance: this.instance, code, reason }),
    );
    this.#pool.exited(this, code);
  }

  async #close(): Promise<void> {
    for (let close = this.#closes.pop(); close !== undefined; close = this.#closes.pop()) {
      try {
        await close();
      } catch (error) {
        this.#pool.incident(error);
      }
    }
  }
}

function replyBody(reply: Reply): Bytes {
  if (reply.ok) return reply.body;
  throw reply.error;
}
