import { createClient } from "redis";
import { parseAddress } from "./server/address.ts";
import { BYTES, nodeOptions } from "./server/client.ts";

/** What a comparison needs of the client library. */
export interface NodeRedis {
  sendCommand(args: readonly (string | Buffer)[]): Promise<unknown>;
  multi(): NodeRedisPipeline;
  destroy(): void;
}

/** Its own pipeline. */
export interface NodeRedisPipeline {
  addCommand(args: (string | Buffer)[]): unknown;
  execAsPipeline(): Promise<unknown>;
}

/** Connects the client library just as the backend has it: for what compares the two. */
export async function connectNodeRedis(url: string): Promise<NodeRedis> {
  const options = nodeOptions(parseAddress(url, "node-redis"), 2_000, () => {});
  const client = createClient({
    ...options,
    commandOptions: { ...options.commandOptions, typeMapping: BYTES },
  });
  client.on("error", () => {
    // It is told by the command that fails.
  });
  return client.connect();
}
