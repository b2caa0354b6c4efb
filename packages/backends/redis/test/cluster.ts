import { createClient } from "@redis/client";
import { freePort } from "../src/redis-server.ts";
import { type RedisServer, startRedisServer } from "../src/testing.ts";

/** Three nodes that share the slots of a cluster. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  /** Forgets all keys. */
  flush(): Promise<void>;
  /** Says something to one of the nodes. */
  say(node: number, words: readonly string[]): Promise<unknown>;
}

/** Starts three nodes on loopback and makes a cluster of them. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const buses: string[] = [];
  for (let i = 0; i < 3; i++) {
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
  for (const [i, client] of clients.entries()) {
    await client.clusterAddSlotsRange({ start: slots[i] ?? 0, end: (slots[i + 1] ?? 0) - 1 });
  }
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
    while (!(await client.clusterInfo()).includes("cluster_state:ok")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return {
    nodes,
    async flush() {
      await Promise.all(clients.map((client) => client.flushAll()));
    },
    say: async (node, words) => clients[node]?.sendCommand(words),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}
