import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "./address.ts";
import type { Asked } from "./asked.ts";
import { backoff } from "./backoff.ts";
import { type ClientEvents, type ClientLimits, isReplyError, type ServerClient } from "./client.ts";
import { SocketClient } from "./socket-client.ts";

/** A client that can be told to look whether its server is the right one still. */
export interface FoundClient extends ServerClient {
  look(): void;
}

/**
 * The same as `SocketClient` for a server that has to be found. Whenever it is lost, it is looked for again.
 *
 * @param find ends when its signal says so
 */
export function connectFound(
  find: (closing: AbortSignal) => Promise<Address>,
  limits: ClientLimits,
  events: ClientEvents,
): FoundClient {
  let client: ServerClient | undefined;
  let place = "";
  let wasReady = false;
  let looking = false;
  const closing = new AbortController();

  const use = (found: Address): void => {
    if (found.shown === place) return;
    place = found.shown;
    if (client?.isReady === true) {
      // Who comes meanwhile waits for the next one.
      events.down(new Error("another server has taken over"));
      if (closing.signal.aborted) return;
    }
    client?.destroy();
    client = new SocketClient(found, limits, {
      up() {
        wasReady = true;
        events.up();
      },
      down(cause) {
        events.down(cause);
        void look();
      },
      missed: () => events.missed?.(),
      retryIn: events.retryIn,
    });
  };

  /** Looks until there is one. It may be the same one, which comes back by itself. */
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    for (let tries = 0; !closing.signal.aborted; tries++) {
      try {
        const found = await find(closing.signal);
        if (!closing.signal.aborted) use(found);
        break;
      } catch (error) {
        const ms = backoff(tries);
        events.retryIn(ms);
        events.down(error instanceof Error ? error : new Error(String(error)));
        await sleep(ms, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
    looking = false;
  };
  void look();

  const current = (): ServerClient => {
    if (client === undefined) throw new Error("no server is known yet");
    return client;
  };
  return {
    get isReady() {
      return client?.isReady === true;
    },
    get wasReady() {
      return wasReady;
    },
    send(command, asked, signal, more) {
      const listener: Asked = {
        answered: (reply) => asked.answered(reply),
        failed(error) {
          // The master is one no more: the next command is for another.
          if (isReplyError(error) && error.message.startsWith("READONLY")) void look();
          asked.failed(error);
        },
      };
      current().send(command, listener, signal, more);
    },
    look: () => void look(),
    transaction: (commands) => current().transaction(commands),
    listen: async (kind, name, hear) => current().listen(kind, name, hear),
    unlisten: async (kind, name, hear) => current().unlisten(kind, name, hear),
    destroy() {
      closing.abort();
      client?.destroy();
    },
  };
}
