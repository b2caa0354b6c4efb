import type { Command, Reply } from "../connection.ts";
import type { Address } from "./address.ts";
import { ask, type ClientLimits, type ServerClient } from "./client.ts";
import { inTime } from "./in-time.ts";
import { SocketClient } from "./socket-client.ts";

/**
 * Asks one server one thing, on a connection of its own, and waits no longer than a connection may take to come up.
 *
 * @param closing ends it at once: nobody waits for the answer any more
 */
export async function askOnce(
  address: Address,
  command: Command,
  limits: ClientLimits,
  closing: AbortSignal,
): Promise<Reply> {
  closing.throwIfAborted();
  let close = (): void => {};
  try {
    const client = await new Promise<ServerClient>((resolve, reject) => {
      const one: ServerClient = new SocketClient(address, limits, {
        up: () => resolve(one),
        down: reject,
        retryIn() {
          // There is no next try: another server is asked.
        },
      });
      close = () => {
        one.destroy();
        reject(new Error("the connection was closed"));
      };
      closing.addEventListener("abort", close);
    });
    return await askInTime(client, command, limits);
  } finally {
    closing.removeEventListener("abort", close);
    close();
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
