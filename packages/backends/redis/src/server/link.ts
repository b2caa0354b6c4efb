import type { ConnectError } from "@connectrpc/connect";
import type { CallContext, Now } from "../connection.ts";
import { fromReply, unavailable } from "../redis-error.ts";
import { type ClientEvents, type ClientLimits, isReplyError, type ServerClient } from "./client.ts";
import { Gate } from "./gate.ts";

/** What a link may take, and how long. See RedisOptions. */
export interface LinkLimits extends ClientLimits {
  readonly outageWaitMs: number;
}

/** What the owner of a link hears of it. */
export interface LinkEvents {
  /** It is up again after an outage, by another connection, of which nothing was asked yet. */
  returned?(): void;
  /** A message for those who listen was too large. */
  missed?(): void;
  /** It was up, and is no more. */
  lost?(): void;
}

/** One client that is kept connected: it says whether it is, and makes those who need it wait a little while it is not. */
export class Link {
  readonly #shown: string;
  readonly #connect: (events: ClientEvents) => ServerClient;
  readonly #limits: LinkLimits;
  readonly #owner: LinkEvents;
  #client: ServerClient | undefined;
  #gate: Gate | undefined;
  #failure: Error | undefined;
  #retryAt = 0;
  #reconnects = 0;
  #closed = false;

  /** @param shown where it leads, for messages */
  constructor(
    shown: string,
    connect: (events: ClientEvents) => ServerClient,
    limits: LinkLimits,
    owner: LinkEvents = {},
  ) {
    this.#shown = shown;
    this.#connect = connect;
    this.#limits = limits;
    this.#owner = owner;
  }

  get isReady(): boolean {
    return this.#client?.isReady === true;
  }

  /** Times that it tried to come back. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Why it is down; undefined if it is not. */
  get failure(): string | undefined {
    if (this.isReady) return undefined;
    return this.#failure === undefined ? "not connected yet" : reasonOf(this.#failure);
  }

  /**
   * The client, connected.
   *
   * @throws ConnectError UNAVAILABLE, or what the server said when it refused us
   */
  ready(context: CallContext): Now<ServerClient> {
    const client = this.#start();
    return client.isReady ? client : this.#wait(context);
  }

  async #wait({ signal }: CallContext): Promise<ServerClient> {
    if ((await this.#gate?.pass(signal)) === true) return this.#start();
    signal.throwIfAborted();
    if (this.#failure !== undefined && isReplyError(this.#failure)) throw fromReply(this.#failure);
    const why = this.#failure === undefined ? "" : `: ${reasonOf(this.#failure)}`;
    throw unavailable(
      `Redis at ${this.#shown} cannot be reached${why}`,
      this.#retryMs(),
      this.#failure,
    );
  }

  /** What to say of a command whose answer did not come. */
  lost(cause: unknown): ConnectError {
    return unavailable(
      `the connection to Redis at ${this.#shown} was lost before it answered: the command may have been done or not`,
      this.#retryMs(),
      cause,
    );
  }

  close(): void {
    this.#closed = true;
    this.#gate?.bar();
    this.#client?.destroy();
  }

  #start(): ServerClient {
    if (this.#closed) throw unavailable("the Redis backend is closed", 1_000);
    if (this.#client !== undefined) return this.#client;
    // The first connection may take longer than the end of an outage.
    this.#gate ??= new Gate(this.#limits.connectTimeoutMs);
    let wasUp = this.#failure !== undefined;
    const events: ClientEvents = {
      up: () => {
        this.#failure = undefined;
        this.#gate?.open();
        if (wasUp) this.#owner.returned?.();
        wasUp = true;
      },
      down: (cause) => this.#fall(cause),
      missed: () => this.#owner.missed?.(),
      retryIn: (ms) => {
        this.#reconnects++;
        this.#retryAt = performance.now() + ms;
      },
    };
    this.#client = this.#connect(events);
    return this.#client;
  }

  #fall(cause: Error): void {
    const wasUp = this.#client?.wasReady === true;
    if (this.#failure === undefined && wasUp) this.#gate = new Gate(this.#limits.outageWaitMs);
    this.#failure = cause;
    // One that was never there, or refuses us, will not be back in a moment: nobody needs to wait for that.
    if (!wasUp || isReplyError(cause)) this.#gate?.bar();
    if (wasUp) this.#owner.lost?.();
  }

  #retryMs(): number {
    return Math.max(50, this.#retryAt - performance.now());
  }
}

function reasonOf(error: Error): string {
  return "code" in error ? String(error.code) : error.message;
}
