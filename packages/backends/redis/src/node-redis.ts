import { createClient } from "@redis/client";
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

/**
 * Connects the client library: for what compares it with the backend.
 *
 * @param asItComes with its own defaults, instead of the options that the backend gives it
 */
export async function connectNodeRedis(url: string, asItComes = false): Promise<NodeRedis> {
  const options = nodeOptions(parseAddress(url, "node-redis"), 2_000);
  const commandOptions = { ...options.commandOptions, typeMapping: BYTES };
  const client = createClient(asItComes ? { url } : { ...options, commandOptions });
  client.on("error", () => {
    // It is told by the command that fails.
  });
  return client.connect();
}
