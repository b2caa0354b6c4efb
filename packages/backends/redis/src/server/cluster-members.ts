/** Flags of a node that hears nothing any more of what is said in its cluster, or not yet. */
const AWAY: ReadonlySet<string> = new Set(["fail", "noaddr", "handshake"]);

/**
 * Whether a node is in the cluster of another one: as a master, with slots or without, or as a replica.
 *
 * @param said what the other one answers to CLUSTER NODES: a line for each, `id host:port@port2,name flags …`
 * @param shown the node's host, or its name, and its port
 * @throws Error if it is the node itself that says so
 */
export function isMember(said: string, shown: string): boolean {
  for (const line of said.split("\n")) {
    const [, at = "", flagList = ""] = line.split(" ");
    const [place = "", name = ""] = at.split(",");
    const [address = ""] = place.split("@");
    const named = `${name}${address.slice(address.lastIndexOf(":"))}`;
    if (address !== shown && (name === "" || named !== shown)) continue;
    const flags = flagList.split(",");
    if (flags.includes("myself")) throw new Error(`${shown} cannot say whether others know it`);
    return !flags.some((flag) => AWAY.has(flag));
  }
  return false;
}
