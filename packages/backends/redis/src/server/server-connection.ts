import type { Health } from "@dropthrough/dispatch";
import type { CallContext, Command, Connection, Reply } from "../connection.ts";
import { fromReply, tooMany, unavailable } from "../redis-error.ts";
import type { Address } from "./address.ts";
import { connectClient, isAbort, isReplyError, type ServerClient } from "./client.ts";
import { Gate } from "./gate.ts";

/** How long a connection may take for what. See RedisOptions. */
export interface ServerLimits {
  readonly connectTimeoutMs: number;
  readonly outageWaitMs: number;
  readonly stallTimeoutMs: number;
  readonly maxInFlight: number;
}

/**
 * A connection to a real server, shared by all guests: commands of one turn of the event loop share a write. It comes
 * back by itself after an outage, and never sends a command twice.
 */
export class ServerConnection implements Connection {
  readonly #address: Address;
  readonly #limits: ServerLimits;
  #client: ServerClient | undefined;
  #gate: Gate;
  #failure: Error | undefined;
  #retryAt = 0;
  #reconnects = 0;
  #inFlight = 0;
  #lastReplyAt = 0;
  #watchdog: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(address: Address, limits: ServerLimits) {
    this.#address = address;
    this.#limits = limits;
    // The first connection may take longer than the end of an outage.
    this.#gate = new Gate(limits.connectTimeoutMs);
  }

  ready({ signal }: CallContext): void | Promise<void> {
    if (this.#start().isReady) return;
    return this.#waitForGate(signal);
  }

  send(command: Command, context: CallContext): Promise<Reply> {
    if (this.#inFlight >= this.#limits.maxInFlight) {
      throw tooMany(`${this.#inFlight} commands are under way to ${this.#address.shown}`, 100);
    }
    if (this.#inFlight++ === 0) this.#watch();
    return this.#send(command, context.signal);
  }

  async #send(command: Command, signal: AbortSignal): Promise<Reply> {
    try {
      if (!this.#start().isReady) await this.#waitForGate(signal);
      return await this.#write(command, signal);
    } finally {
      this.#inFlight--;
    }
  }

  async #write(command: Command, signal: AbortSignal): Promise<Reply> {
    try {
      const reply = await this.#start().send(command, signal);
      this.#lastReplyAt = performance.now();
      return reply;
    } catch (error) {
      if (isReplyError(error)) {
        this.#lastReplyAt = performance.now();
        throw fromReply(error);
      }
      if (isAbort(error)) throw signal.reason;
      throw unavailable(
        `the connection to Redis at ${this.#address.shown} was lost before it answered: the command may have been done or not`,
        this.#retryMs(),
        error,
      );
    }
  }

  async #waitForGate(signal: AbortSignal): Promise<void> {
    if (await this.#gate.pass(signal)) return;
    signal.throwIfAborted();
    const { shown } = this.#address;
    if (this.#failure !== undefined && isReplyError(this.#failure)) throw fromReply(this.#failure);
    const why = this.#failure === undefined ? "" : `: ${reasonOf(this.#failure)}`;
    throw unavailable(`Redis at ${shown} cannot be reached${why}`, this.#retryMs(), this.#failure);
  }

  health(): Health {
    const { shown } = this.#address;
    const reconnects = `${this.#reconnects} reconnects, ${this.#inFlight} commands under way`;
    if (this.#client?.isReady === true) return { ok: true, message: `${shown}, ${reconnects}` };
    const why = this.#failure === undefined ? "not connected yet" : reasonOf(this.#failure);
    return { ok: false, message: `${shown} is down (${why}), ${reconnects}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearInterval(this.#watchdog);
    this.#gate.bar();
    this.#client?.destroy();
  }

  #start(): ServerClient {
    if (this.#disposed) throw unavailable("the Redis backend is closed", 1_000);
    this.#client ??= connectClient(this.#address, this.#limits.connectTimeoutMs, {
      up: () => {
        this.#failure = undefined;
        this.#gate.open();
      },
      down: (cause) => this.#fall(cause),
      retryIn: (ms) => {
        this.#reconnects++;
        this.#retryAt = performance.now() + ms;
      },
    });
    return this.#client;
  }

  #fall(cause: Error): void {
    if (this.#failure === undefined && this.#client?.wasReady === true) {
      this.#gate = new Gate(this.#limits.outageWaitMs);
    }
    this.#failure = cause;
    // One that was never there, or refuses us, will not be back in a moment: nobody needs to wait for that.
    if (this.#client?.wasReady !== true || isReplyError(cause)) this.#gate.bar();
  }

  #retryMs(): number {
    return Math.max(50, this.#retryAt - performance.now());
  }

  /** A server may stop answering without closing its connection. Then only time tells. */
  #watch(): void {
    this.#lastReplyAt = performance.now();
    this.#watchdog ??= setInterval(() => {
      const silentMs = performance.now() - this.#lastReplyAt;
      if (this.#inFlight === 0) {
        clearInterval(this.#watchdog);
        this.#watchdog = undefined;
      } else if (this.#client?.isReady === true && silentMs > this.#limits.stallTimeoutMs) {
        const stalled = this.#client;
        this.#client = undefined;
        this.#gate = new Gate(this.#limits.outageWaitMs);
        this.#failure = new Error(`no answer for ${Math.round(silentMs)} ms`);
        this.#reconnects++;
        stalled.destroy();
        this.#start();
      }
    }, this.#limits.stallTimeoutMs / 4);
  }
}

function reasonOf(error: Error): string {
  return "code" in error ? String(error.code) : error.message;
}
