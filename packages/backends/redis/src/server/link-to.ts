import { type Nodes, shownOf } from "./address.ts";
import type { ClientEvents, ServerClient } from "./client.ts";
import { ClusterClient } from "./cluster-client.ts";
import { Link, type LinkEvents, type LinkLimits } from "./link.ts";
import { connectSentinel } from "./sentinel-client.ts";
import { SocketClient } from "./socket-client.ts";

/** A link to a server, a cluster or a master. */
export function linkTo(nodes: Nodes, limits: LinkLimits, owner?: LinkEvents): Link {
  return new Link(shownOf(nodes), (events) => connect(nodes, limits, events), limits, owner);
}

function connect(nodes: Nodes, limits: LinkLimits, events: ClientEvents): ServerClient {
  if ("cluster" in nodes) return new ClusterClient(nodes.cluster, limits, events);
  if ("sentinels" in nodes) return connectSentinel(nodes, limits, events);
  return new SocketClient(nodes, limits, events);
}
