import { ABI_MODULE, Endpoint, GuestMemory } from "@dropthrough/abi";
import type { Call, Session } from "@dropthrough/dispatch";
import { guestImports } from "./guest-imports.ts";
import type { GuestPool } from "./guest-pool.ts";
import { type Export, GuestStack } from "./guest-stack.ts";
import { watchRoom } from "./stack-room.ts";

/** What the code of an instance needs of it. */
export interface GuestCodeInit {
  readonly pool: GuestPool;
  readonly session: Session;
  /** It trapped, or was unwound. */
  readonly failed: (error: unknown) => void;
  /** It begins to wait for a call of another guest. */
  readonly waits: (call: Call) => void;
  /** Whether it takes what its calls have come to. */
  readonly listens: () => boolean;
  /** It was told what a call has come to, and has returned. */
  readonly told: () => void;
}

/**
 * The module of one instance as it runs: how its exports are entered, and the host's end of its memory.
 *
 * ```text
 *  instantiate ─▶ runEntry: _start or _initialize ─▶ serve(call, method, length) …
 *                                                     done(call, word) …, for a guest with an event loop
 * ```
 */
export class GuestCode {
  /** Where it runs. */
  readonly stack: GuestStack;
  endpoint: Endpoint | undefined;
  exports: WebAssembly.Exports = {};
  /** `dropthrough_v1_serve`, if it has one. */
  serve: Export | undefined;
  #delivering = false;
  readonly #init: GuestCodeInit;

  constructor(init: GuestCodeInit) {
    this.#init = init;
    this.stack = new GuestStack(init.pool.clock, init.failed);
  }

  /** Makes the instance; false if that failed, which `failed` was told. */
  instantiate(): boolean {
    const { pool, session } = this.#init;
    const { program } = pool;
    const guest = guestImports(this.#init.waits, program.sharesStack);
    try {
      // A start function is the guest's own code.
      this.stack.entered = true;
      if (program.sharesStack) watchRoom();
      this.exports = new WebAssembly.Instance(program.module, {
        [ABI_MODULE]: guest.imports,
      }).exports;
    } catch (error) {
      this.#init.failed(error);
      return false;
    } finally {
      this.stack.entered = false;
    }
    const memory = this.exports["memory"] as WebAssembly.Memory;
    this.endpoint = new Endpoint(new GuestMemory(memory), {
      limits: pool.limits,
      bind: (name) => session.bind(name),
      incident: (error) => pool.incident(error),
      ...(program.shape.eventLoop && { finished: () => this.#deliverSoon() }),
    });
    guest.attach(this.endpoint);
    this.serve = this.#serveExport();
    return true;
  }

  /** Runs `_start` or `_initialize`, until that first suspends or ends; false if it has none. */
  runEntry(done: () => void): boolean {
    const { kind } = this.#init.pool.program.shape;
    const entry = this.exports[kind === "command" ? "_start" : "_initialize"];
    if (entry === undefined) return false;
    this.stack.enter(this.#suspendable(entry, 0), 0, 0, done);
    return true;
  }

  #serveExport(): Export | undefined {
    const serve = this.exports["dropthrough_v1_serve"];
    if (serve === undefined) return undefined;
    const { eventLoop } = this.#init.pool.program.shape;
    return eventLoop ? (serve as Export) : this.#suspendable(serve, 3);
  }

  /** An export that may be suspended on its way, if the guest ever waits. */
  #suspendable(run: WebAssembly.ExportValue, parameters: 0 | 3): Export {
    const { waits } = this.#init.pool.program;
    return waits ? this.stack.suspendable(run, parameters) : (run as Export);
  }

  /** Delivers the results of a guest with an event loop, when it is not running. */
  #deliverSoon(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    this.#init.pool.clock.soon(this.#deliver);
  }

  readonly #deliver = (): void => {
    this.#delivering = false;
    const done = this.exports["dropthrough_v1_done"] as Export;
    while (this.#init.listens()) {
      const next = this.endpoint?.deliver();
      if (next === undefined) return;
      this.stack.enter(done, next.call, next.word, this.#init.told);
    }
  };
}
