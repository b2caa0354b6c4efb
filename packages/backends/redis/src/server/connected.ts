import type { Command, Reply } from "../connection.ts";
import type { Address } from "./address.ts";
import { ask, type ClientLimits, type ServerClient } from "./client.ts";
import { inTime } from "./in-time.ts";
import { SocketClient } from "./socket-client.ts";

/** Asks one server one thing, on a connection of its own, and waits no longer than a connection may take to come up. */
export async function askOnce(
  address: Address,
  command: Command,
  limits: ClientLimits,
): Promise<Reply> {
  const client = await connected(address, limits);
  try {
    return await askInTime(client, command, limits);
  } finally {
    client.destroy();
  }
}

/** The same on a connection that is there. */
export async function askInTime(
  client: ServerClient,
  command: Command,
  { connectTimeoutMs }: ClientLimits,
): Promise<Reply> {
  return inTime(connectTimeoutMs, ask(client, command));
}

/** A client that is up, or none. */
async function connected(address: Address, limits: ClientLimits): Promise<ServerClient> {
  return new Promise((resolve, reject) => {
    const client: ServerClient = new SocketClient(address, limits, {
      up: () => resolve(client),
      down(cause) {
        client.destroy();
        reject(cause);
      },
      retryIn() {
        // There is no next try: another server is asked.
      },
    });
  });
}
