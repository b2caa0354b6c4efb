import { createClient } from "redis";
import type { Reply } from "../connection.ts";
import { bytes, list } from "../reply.ts";
import type { Address, SentinelNodes } from "./address.ts";
import { backoff } from "./backoff.ts";
import {
  type ClientEvents,
  connectClient,
  type Hear,
  isReplyError,
  nodeOptions,
  type ServerClient,
} from "./client.ts";

/** Something that is listened to. */
interface Listening {
  readonly kind: "channel" | "pattern";
  readonly name: string;
  readonly hear: Hear;
}

/**
 * The same as `connectClient` for the master that sentinels know by a name. Whenever it is lost, they are asked again.
 * The library's own sentinel client sends a command again after a failover, which may do it twice; this one does not.
 */
export function connectSentinel(
  { sentinels, master }: SentinelNodes,
  connectTimeoutMs: number,
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
    const next = connectClient(found, connectTimeoutMs, {
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
        const found = await findMaster(sentinels, master, connectTimeoutMs);
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

  const connected = (): ServerClient => {
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
    send: (command, signal) =>
      connected()
        .send(command, signal)
        .catch((error: unknown) => {
          // The master is one no more: the next command is for another.
          if (isReplyError(error) && error.message.startsWith("READONLY")) void look();
          throw error;
        }),
    transaction: (commands) => connected().transaction(commands),
    async listen(kind, name, hear) {
      await connected().listen(kind, name, hear);
      listening.add({ kind, name, hear });
    },
    async unlisten(kind, name, hear) {
      for (const one of listening) {
        if (one.kind === kind && one.name === name && one.hear === hear) listening.delete(one);
      }
      await connected().unlisten(kind, name, hear);
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
  connectTimeoutMs: number,
): Promise<Address> {
  const name = master.host ?? "";
  let failure: unknown = new Error("no sentinel is named");
  for (const sentinel of sentinels) {
    const options = nodeOptions(sentinel, connectTimeoutMs, () => {});
    const socket = { ...options.socket, reconnectStrategy: false as const };
    const client = createClient({ ...options, socket });
    client.on("error", () => {
      // `connect` says so too.
    });
    try {
      await client.connect();
      const question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name];
      const answer = await client.sendCommand<Reply>(question, { typeMapping: { 36: Buffer } });
      if (answer === null) throw new Error(`${sentinel.shown} knows no master "${name}"`);
      const [host, port] = list(answer).map((part) => Buffer.from(bytes(part)).toString());
      return { ...master, host: host ?? "", port: Number(port), shown: `${host}:${port}` };
    } catch (error) {
      failure = error;
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
  throw failure;
}
