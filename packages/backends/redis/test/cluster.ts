import { createClient } from "@redis/client";
import { freePort } from "../src/redis-server.ts";
import { type RedisServer, startRedisServer } from "../src/testing.ts";

/** Nodes of a cluster. The first three share its slots. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  /** Forgets all keys. */
  flush(): Promise<void>;
  /** Says something to one of the nodes. */
  say(node: number, words: readonly string[]): Promise<unknown>;
  /** The slot of a key, and which node has it. @param asked a node that is there */
  placeOf(key: string, asked?: number): Promise<{ slot: number; node: number }>;
  /**
   * Moves the slot of a key, step by step: what stands between the steps sees it on its way.
   *
   * @param to where it goes; else to the next of the three
   */
  move(key: string, onTheWay: () => Promise<void>, to?: number): Promise<void>;
}

/** Starts nodes on loopback and makes a cluster of them. @param empty so many more than three, without slots */
export async function startRedisCluster(empty = 0): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const buses: string[] = [];
  for (let i = 0; i < 3 + empty; i++) {
    // Left alone, the second port of a node is its first plus 10,000, which may be none.
    const bus = String(await freePort());
    buses.push(bus);
    const args = [
      "--cluster-enabled",
      "yes",
      "--cluster-port",
      bus,
      "--cluster-node-timeout",
      "30000",
      // One whose last slot is moved away would become a replica of who has it now.
      "--cluster-allow-replica-migration",
      "no",
    ];
    nodes.push(await startRedisServer({ args }));
  }
  const clients = await Promise.all(
    nodes.map(({ url }) => {
      const client = createClient({ url, RESP: 3 });
      // A test may kill its node, and start it again.
      client.on("error", () => {});
      return client.connect();
    }),
  );
  const slots = [0, 5461, 10_923, 16_384];
  for (const [i, client] of clients.slice(0, 3).entries()) {
    await client.clusterAddSlotsRange({ start: slots[i] ?? 0, end: (slots[i + 1] ?? 0) - 1 });
  }
  // Nodes that all begin with the same epoch choose others when they have met; what one says of its slots then undoes a move.
  for (const [i, client] of clients.entries())
    await client.sendCommand(["CLUSTER", "SET-CONFIG-EPOCH", String(i + 1)]);
  for (const [i, node] of nodes.entries()) {
    await clients[0]?.sendCommand([
      "CLUSTER",
      "MEET",
      "127.0.0.1",
      String(node.port),
      buses[i] ?? "",
    ]);
  }
  for (const client of clients) {
    // All slots have a node, and each node knows all others: one that has none is not missed.
    const isWhole = async (): Promise<boolean> => {
      const known = (await client.clusterNodes()).trim().split("\n");
      const info = await client.clusterInfo();
      return (
        info.includes("cluster_state:ok") &&
        known.length === nodes.length &&
        known.every((node) => node.includes("master") && !node.includes("handshake"))
      );
    };
    while (!(await isWhole())) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  /** Whether all nodes know the same epoch of each: whoever takes a slot now takes a higher one. */
  const isAgreed = async (): Promise<boolean> => {
    const epochs = new Set<string>();
    for (const client of clients) {
      for (const line of (await client.clusterNodes()).trim().split("\n")) {
        const [id, , , , , , epoch] = line.split(" ");
        epochs.add(`${id} ${epoch}`);
      }
    }
    return epochs.size === nodes.length;
  };
  const say: RedisCluster["say"] = async (node, words) => clients[node]?.sendCommand(words);
  const placeOf: RedisCluster["placeOf"] = async (key, asked = 0) => {
    const slot = Number(await say(asked, ["CLUSTER", "KEYSLOT", key]));
    const ranges = (await say(asked, ["CLUSTER", "SLOTS"])) as [number, number, [string, number]][];
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    return { slot, node: nodes.findIndex(({ port }) => port === range?.[2][1]) };
  };
  return {
    nodes,
    say,
    placeOf,
    async flush() {
      await Promise.all(clients.map((client) => client.flushAll()));
    },
    async move(key, onTheWay, other) {
      while (!(await isAgreed())) await new Promise((resolve) => setTimeout(resolve, 20));
      const { slot, node: from } = await placeOf(key);
      const to = other ?? (from + 1) % 3;
      const ids = await Promise.all(
        nodes.map(async (_, i) => String(await say(i, ["CLUSTER", "MYID"]))),
      );
      const at = String(slot);
      await say(to, ["CLUSTER", "SETSLOT", at, "IMPORTING", ids[from] ?? ""]);
      await say(from, ["CLUSTER", "SETSLOT", at, "MIGRATING", ids[to] ?? ""]);
      const port = String(nodes[to]?.port);
      const keys = (await say(from, ["CLUSTER", "GETKEYSINSLOT", at, "1000"])) as string[];
      for (const one of keys) await say(from, ["MIGRATE", "127.0.0.1", port, one, "0", "5000"]);
      await onTheWay();
      const others = nodes.map((_, i) => i).filter((i) => i !== to && i !== from);
      for (const node of [to, from, ...others]) {
        await say(node, ["CLUSTER", "SETSLOT", at, "NODE", ids[to] ?? ""]);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}
