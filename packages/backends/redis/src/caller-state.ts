import type {
  CallContext,
  Command,
  Connection,
  Now,
  Reply,
  Unanswered,
  Watch,
} from "./connection.ts";
import type { Keyspace } from "./keyspace.ts";
import { OwnIds } from "./own-ids.ts";
import { tooMany } from "./redis-error.ts";
import { DEFAULT_REDIS_LIMITS } from "./redis-limits.ts";
import type { Subscription } from "./subscription.ts";

/** A connection that a guest has opened: the road, which guests share, and the keys that are the guest's own. */
export interface OpenConnection extends Partial<AsyncDisposable> {
  readonly connection: Connection;
  readonly keys: Keyspace;
}

/** A watch that a guest has opened, and the connection that it belongs to. */
export interface OpenWatch extends AsyncDisposable {
  readonly watch: Watch;
  readonly connection: OpenConnection;
}

/** All that one caller has opened. */
export class CallerState implements AsyncDisposable {
  readonly connections: OwnIds<OpenConnection> = new OwnIds(
    "connection",
    DEFAULT_REDIS_LIMITS.connections,
  );
  /** Those of them, open or about to be, whose URL the caller brought. */
  readonly urls: Set<OpenConnection> = new Set();
  readonly watches: OwnIds<OpenWatch> = new OwnIds("watch", DEFAULT_REDIS_LIMITS.watches);
  readonly subscriptions: OwnIds<Subscription> = new OwnIds(
    "subscription",
    DEFAULT_REDIS_LIMITS.subscriptions,
  );

  readonly #fallback: () => OpenConnection;
  readonly #unanswered: Unanswered = { count: 0 };
  #unnamed: OpenConnection | undefined;

  /** @param fallback opens the connection called default */
  constructor(fallback: () => OpenConnection) {
    this.#fallback = fallback;
  }

  /**
   * An open connection; with an empty id, the one called default.
   *
   * @throws ConnectError NOT_FOUND
   */
  connection(id: string): OpenConnection {
    if (id !== "") return this.connections.get(id);
    return (this.#unnamed ??= this.#fallback());
  }

  /**
   * Sends a command. It counts as the caller's until it is answered, also when the call was given up: else who sends and
   * cancels without end would take the places of everybody.
   *
   * @throws ConnectError RESOURCE_EXHAUSTED, and those of `Connection.send`
   */
  send<T>(
    { connection }: OpenConnection,
    command: Command,
    context: CallContext,
    read: (reply: Reply) => T,
  ): Now<T> {
    this.#checkRoom(1);
    return connection.send(command, context, read, this.#unanswered);
  }

  /**
   * The same for commands that are sent together.
   *
   * @throws ConnectError RESOURCE_EXHAUSTED
   */
  sendMany<T>(count: number, send: () => Now<T>): Now<T> {
    this.#checkRoom(count);
    const sent = send();
    if (!(sent instanceof Promise)) return sent;
    this.#unanswered.count += count;
    return sent.finally(() => (this.#unanswered.count -= count));
  }

  #checkRoom(more: number): void {
    const { count } = this.#unanswered;
    if (count + more <= DEFAULT_REDIS_LIMITS.unanswered) return;
    throw tooMany(`${count} commands are not answered yet: no room for ${more} more`, 100);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.subscriptions[Symbol.asyncDispose]();
    await this.watches[Symbol.asyncDispose]();
    await this.connections[Symbol.asyncDispose]();
  }
}
