import { randomBytes } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Connection } from "./connection.ts";
import type { Keyspace } from "./keyspace.ts";
import { tooMany } from "./redis-error.ts";

/** A connection that a guest has opened: the road, which guests share, and the keys that are the guest's own. */
export interface OpenConnection {
  readonly connection: Connection;
  readonly keys: Keyspace;
}

const MOST_OPEN = 64;

/** The connections of one caller, by ids that nobody can guess. They die with it. */
export class Connections {
  readonly #open = new Map<string, OpenConnection>();

  /** @throws ConnectError RESOURCE_EXHAUSTED */
  add(connection: OpenConnection): string {
    if (this.#open.size >= MOST_OPEN) {
      throw tooMany(`${MOST_OPEN} connections are open: close one, or use it again`, 1_000);
    }
    const id = randomBytes(16).toString("base64url");
    this.#open.set(id, connection);
    return id;
  }

  /** @throws ConnectError NOT_FOUND */
  get(id: string): OpenConnection {
    const connection = this.#open.get(id);
    if (connection === undefined) throw this.#unknown();
    return connection;
  }

  /** @throws ConnectError NOT_FOUND */
  close(id: string): void {
    if (!this.#open.delete(id)) throw this.#unknown();
  }

  [Symbol.dispose](): void {
    this.#open.clear();
  }

  #unknown(): ConnectError {
    return new ConnectError(
      "no such connection: open one and use the id that it answers",
      Code.NotFound,
    );
  }
}
