import type { Connection, Watch } from "./connection.ts";
import type { Keyspace } from "./keyspace.ts";
import { OwnIds } from "./own-ids.ts";
import type { Subscription } from "./subscription.ts";

/** A connection that a guest has opened: the road, which guests share, and the keys that are the guest's own. */
export interface OpenConnection {
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
  readonly connections: OwnIds<OpenConnection> = new OwnIds("connection", 64);
  readonly watches: OwnIds<OpenWatch> = new OwnIds("watch", 16);
  readonly subscriptions: OwnIds<Subscription> = new OwnIds("subscription", 64);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.subscriptions[Symbol.asyncDispose]();
    await this.watches[Symbol.asyncDispose]();
    await this.connections[Symbol.asyncDispose]();
  }
}
