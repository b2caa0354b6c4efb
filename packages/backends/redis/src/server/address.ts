import type { ConnectionOptions } from "node:tls";

/** What `rediss:` needs to know beside the URL: certificates and keys are PEM. */
export type RedisTls = Pick<
  ConnectionOptions,
  "ca" | "cert" | "key" | "servername" | "rejectUnauthorized"
>;

/** Where a server is, and who we are to it. */
export interface Address {
  /** For messages: without the password. */
  readonly shown: string;
  readonly host?: string;
  readonly port?: number;
  /** The path of a unix socket, instead of host and port. */
  readonly path?: string;
  readonly tls?: RedisTls;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
}

/**
 * Reads a URL of the operator's config: `redis://`, `rediss://` (TLS) or `unix://`.
 *
 * @throws TypeError that names the connection, and never shows a password
 */
export function parseAddress(url: string, name: string, tls: RedisTls = {}): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const protocol = parsed?.protocol;
  if (parsed === undefined || !["redis:", "rediss:", "unix:"].includes(protocol ?? "")) {
    throw new TypeError(
      `redis: the URL of the connection "${name}" must be redis://host:port, rediss://host:port, unix:///path or embedded:`,
    );
  }
  const unix = protocol === "unix:";
  const path = decodeURIComponent(parsed.pathname);
  const databaseText = unix ? (parsed.searchParams.get("db") ?? "0") : path.slice(1) || "0";
  if (!/^\d+$/.test(databaseText)) {
    throw new TypeError(`redis: the URL of the connection "${name}" has no number as its database`);
  }
  const host = parsed.hostname.replaceAll(/[[\]]/g, "") || "127.0.0.1";
  const port = Number(parsed.port || "6379");
  return {
    shown: unix ? path : `${host}:${port}`,
    ...(unix ? { path } : { host, port }),
    ...(protocol === "rediss:" && { tls }),
    ...(parsed.username !== "" && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password !== "" && { password: decodeURIComponent(parsed.password) }),
    database: Number(databaseText),
  };
}

/** A master by the name that sentinels have for it, which is the host of its address. */
export interface SentinelNodes {
  readonly sentinels: readonly Address[];
  readonly master: Address;
}

/** One server, or some nodes of a cluster, which know the others, or a master that sentinels know. */
export type Nodes = Address | { readonly cluster: readonly Address[] } | SentinelNodes;

/** For messages. */
export function shownOf(nodes: Nodes): string {
  if ("cluster" in nodes) return nodes.cluster.map(({ shown }) => shown).join(",");
  return "sentinels" in nodes ? `master ${nodes.master.host ?? ""}` : nodes.shown;
}
