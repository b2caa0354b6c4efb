import { bytes, list } from "../reply.ts";
import type { Address, SentinelNodes } from "./address.ts";
import type { Asked } from "./asked.ts";
import { backoff } from "./backoff.ts";
import {
  ask,
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

/**
 * The same as `SocketClient` for the master that sentinels know by a name. Whenever it is lost, they are asked again.
 * The library's own sentinel client sends a command again after a failover, which may do it twice; this one does not.
 */
export function connectSentinel(
  { sentinels, master }: SentinelNodes,
  limits: ClientLimits,
  events: ClientEvents,
): ServerClient {
  const listening = new Set<Listening>();
  let client: ServerClient | undefined;
  let place = "";
  let wasReady = false;
  let looking = false;
  const closing = new AbortController();

  const use = (found: Address): void => {
    if (found.shown === place) return;
    place = found.shown;
    client?.destroy();
    const next: ServerClient = new SocketClient(found, limits, {
      up() {
        wasReady = true;
        // What the last master was asked to say, this one is asked too.
        // If it is lost before it hears that, there is a next one.
        for (const { kind, name, hear } of fresh ? listening : []) {
          next.listen(kind, name, hear).catch(() => {});
        }
        fresh = false;
        events.up();
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

  /** Asks for the master until there is one. It may be the same one, which comes back by itself. */
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    for (let tries = 0; !closing.signal.aborted; tries++) {
      try {
        const found = await findMaster(sentinels, master, limits);
        if (!closing.signal.aborted) use(found);
        break;
      } catch (error) {
        const ms = backoff(tries);
        events.retryIn(ms);
        events.down(error instanceof Error ? error : new Error(String(error)));
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
    }
    looking = false;
  };
  void look();

  const current = (): ServerClient => {
    if (client === undefined) throw new Error("no master is known yet");
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

/** Asks one sentinel after the other. */
async function findMaster(
  sentinels: readonly Address[],
  master: Address,
  limits: ClientLimits,
): Promise<Address> {
  const name = master.host ?? "";
  let failure: unknown = new Error("no sentinel is named");
  for (const sentinel of sentinels) {
    let client: ServerClient | undefined;
    try {
      client = await connected(sentinel, limits);
      const question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name];
      const answer = await ask(client, { args: question });
      if (answer === null) throw new Error(`${sentinel.shown} knows no master "${name}"`);
      const [host, port] = list(answer).map((part) => Buffer.from(bytes(part)).toString());
      return { ...master, host: host ?? "", port: Number(port), shown: `${host}:${port}` };
    } catch (error) {
      failure = error;
    } finally {
      client?.destroy();
    }
  }
  throw failure;
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
        // There is no next try: another sentinel is asked.
      },
    });
  });
}
