import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "./address.ts";
import type { Asked } from "./asked.ts";
import { backoff } from "./backoff.ts";
import {
  type ClientEvents,
  type ClientLimits,
  type Hear,
  isReplyError,
  type ServerClient,
} from "./client.ts";
import { SocketClient } from "./socket-client.ts";

/** Something that is listened to. */
interface Listening {
  readonly kind: "channel" | "pattern";
  readonly name: string;
  readonly hear: Hear;
}

/** A client that can be told to look whether its server is the right one still. */
export interface FoundClient extends ServerClient {
  look(): void;
}

/**
 * The same as `SocketClient` for a server that has to be found. Whenever it is lost, it is looked for again, and what the
 * last one was asked to say, the next one is asked too.
 *
 * @param find ends when its signal says so
 */
export function connectFound(
  find: (closing: AbortSignal) => Promise<Address>,
  limits: ClientLimits,
  events: ClientEvents,
): FoundClient {
  const listening = new Set<Listening>();
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
    }
    client?.destroy();
    const next: ServerClient = new SocketClient(found, limits, {
      up() {
        wasReady = true;
        if (!fresh || listening.size === 0) {
          fresh = false;
          events.up();
          return;
        }
        // What the last master was asked to say, this one is asked too. Nobody is told that it is there before it is heard.
        const asked = [...listening].map(async ({ kind, name, hear }) =>
          next.listen(kind, name, hear),
        );
        void Promise.all(asked).then(
          () => {
            fresh = false;
            if (client === next) events.up();
          },
          () => {
            // It was lost meanwhile: it is asked once more when it is back, or the next one is.
          },
        );
      },
      down(cause) {
        events.down(cause);
        void look();
      },
      missed: () => events.missed?.(),
      retryIn: events.retryIn,
    });
    let fresh = client !== undefined;
    client = next;
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
    async listen(kind, name, hear) {
      await current().listen(kind, name, hear);
      listening.add({ kind, name, hear });
    },
    async unlisten(kind, name, hear) {
      for (const one of listening) {
        if (one.kind === kind && one.name === name && one.hear === hear) listening.delete(one);
      }
      await current().unlisten(kind, name, hear);
    },
    destroy() {
      closing.abort();
      client?.destroy();
    },
  };
}
