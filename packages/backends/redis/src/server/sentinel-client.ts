import { bytes, list } from "../reply.ts";
import type { Address, SentinelNodes } from "./address.ts";
import type { ClientEvents, ClientLimits, ServerClient } from "./client.ts";
import { askOnce } from "./connected.ts";
import { firstAnswer } from "./first-answer.ts";
import { connectFound } from "./following.ts";

/**
 * The same as `SocketClient` for the master that sentinels know by a name. Whenever it is lost, they are asked again.
 * The library's own sentinel client sends a command again after a failover, which may do it twice; this one does not.
 */
export function connectSentinel(
  nodes: SentinelNodes,
  limits: ClientLimits,
  events: ClientEvents,
): ServerClient {
  return connectFound(async (closing) => findMaster(nodes, limits, closing), limits, events);
}

/** Asks the sentinels. */
async function findMaster(
  { sentinels, master }: SentinelNodes,
  limits: ClientLimits,
  closing: AbortSignal,
): Promise<Address> {
  const name = master.host ?? "";
  const question = { args: ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name] };
  const asks = sentinels.map((sentinel) => async (): Promise<Address> => {
    const answer = await askOnce(sentinel, question, limits, closing);
    if (answer === null) throw new Error(`${sentinel.shown} knows no master "${name}"`);
    const [host, port] = list(answer).map((part) => Buffer.from(bytes(part)).toString());
    return { ...master, host: host ?? "", port: Number(port), shown: `${host}:${port}` };
  });
  return firstAnswer(asks, limits.connectTimeoutMs);
}
