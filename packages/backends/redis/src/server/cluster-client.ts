import { createCluster, type TypeMapping } from "@redis/client";
import type { Command, Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Address } from "./address.ts";
import { backoff } from "./backoff.ts";
import {
  type ClientEvents,
  nodeOptions,
  sendTransaction,
  type ServerClient,
  typesOf,
} from "./client.ts";
import { firstKey } from "./first-key.ts";

/**
 * The same as `SocketClient` for the nodes of a cluster: each command goes to the node that has its key. The library
 * follows the keys when they move, divides MGET, MSET and DEL among the nodes, and walks over all of them for SCAN.
 *
 * @param seeds nodes to ask where the others are; user and TLS are those of the first
 */
export function connectCluster(
  seeds: readonly Address[],
  connectTimeoutMs: number,
  events: ClientEvents,
): ServerClient {
  const [seed] = seeds;
  if (seed === undefined) throw new TypeError("redis: a cluster needs the URL of a node");
  const defaults = nodeOptions(seed, connectTimeoutMs, () => {});
  const cluster = createCluster({
    RESP: 3,
    rootNodes: seeds.map(({ host = "", port = 0 }) => ({ socket: { host, port } })),
    defaults: { ...defaults, socket: withoutPlace(defaults.socket ?? {}) },
    commandOptions: { timeout: 0 },
  });
  cluster.on("error", () => {
    // A node is away: commands for it fail, and those for others do not.
  });
  let ready = false;
  const closing = new AbortController();
  const connect = async (): Promise<void> => {
    for (let tries = 0; !closing.signal.aborted; tries++) {
      try {
        await cluster.connect();
        ready = true;
        return events.up();
      } catch (error) {
        if (closing.signal.aborted) return;
        const ms = backoff(tries);
        events.retryIn(ms);
        events.down(error instanceof Error ? error : new Error(String(error)));
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
    }
  };
  void connect();

  const optionsOf = (command: Command, signal?: AbortSignal): SendOptions => ({
    typeMapping: typesOf(command),
    ...(signal !== undefined && { abortSignal: signal }),
  });
  const send = async (command: Command, signal?: AbortSignal): Promise<Reply> => {
    const { args } = command;
    const options = optionsOf(command, signal);
    const [name, channel = ""] = args;
    if (name === "PUBLISH") {
      // Any node would do, but only from one node is what is said on a channel heard in order.
      const node = await cluster.getNodeClientForKey(channel, false);
      return node.sendCommand<Reply>(args, options);
    }
    try {
      return await cluster.sendCommand<Reply>(firstKey(args), false, [...args], options);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes("unknown cursor"))) throw error;
      throw new ReplyError("ERR invalid cursor");
    }
  };
  return {
    get isReady() {
      return ready && cluster.isReady;
    },
    get wasReady() {
      return ready;
    },
    send(command, asked, signal) {
      send(command, signal).then(
        (reply) => asked.answered(reply),
        (error: unknown) => asked.failed(error),
      );
    },
    async transaction(commands: readonly Command[]) {
      const key = commands.map(({ args }) => firstKey(args)).find((found) => found !== undefined);
      if (key === undefined) return [];
      const node = await cluster.getNodeClientForKey(key, false);
      return sendTransaction(
        async (command) => node.sendCommand<Reply>(command.args, optionsOf(command)),
        commands,
      );
    },
    async placeOf(key) {
      const { options } = await cluster.getNodeClientForKey(key, false);
      const { host = "", port = 0 } = options.socket as { host?: string; port?: number };
      return { ...seed, host, port, shown: `${host}:${port}` };
    },
    listen: (kind, name, hear) =>
      kind === "channel"
        ? cluster.subscribe<true>(name, hear, true)
        : cluster.pSubscribe<true>(name, hear, true),
    unlisten: async (kind, name, hear) => {
      // The type of the first asks for one who hears text as well as bytes.
      const listener = hear as unknown as Parameters<typeof cluster.unsubscribe>[1];
      if (kind === "channel") await cluster.unsubscribe(name, listener, true);
      else await cluster.pUnsubscribe<true>(name, hear, true);
    },
    destroy() {
      closing.abort();
      ready = false;
      if (cluster.isOpen) cluster.destroy();
    },
  };
}

interface SendOptions {
  readonly typeMapping: TypeMapping;
  readonly abortSignal?: AbortSignal;
}

/** What holds for every node: all of it, but for where the node is. */
function withoutPlace<T extends object>(socket: T): Omit<T, "host" | "port"> {
  const { host: _, port: __, ...rest } = socket as T & { host?: unknown; port?: unknown };
  return rest;
}
