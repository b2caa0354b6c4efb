import { Code, ConnectError } from "@connectrpc/connect";
import type { Health } from "@dropthrough/dispatch";
import type { Connection } from "./connection.ts";
import { tooMany } from "./redis-error.ts";
import { DEFAULT_REDIS_LIMITS } from "./redis-limits.ts";
import { type Address, parseAddress, type RedisTls } from "./server/address.ts";
import { ServerConnection, type ServerLimits } from "./server/server-connection.ts";

/** What a pattern says: `redis://cache.example:6379`, `rediss://*.example:*`. */
const PATTERN = /^(rediss?):\/\/((?:\*\.)?[a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\]):(\d{1,5}|\*)$/;

interface Allowed {
  readonly tls: boolean;
  /** A host, or `.example` for all below it. */
  readonly host: string;
  /** Undefined for any. */
  readonly port: number | undefined;
}

/** Which servers each guest may name by itself. Where nothing is said, none. */
export class GuestUrls implements AsyncDisposable {
  readonly #allowed = new Map<string, readonly Allowed[]>();
  readonly #limits: ServerLimits;
  readonly #tls: RedisTls;
  /** With the guest whose they are. */
  readonly #open = new Map<Connection, string>();

  /** @throws TypeError that names the pattern which is none */
  constructor(
    patterns: Readonly<Record<string, readonly string[]>>,
    limits: ServerLimits,
    tls: RedisTls = {},
  ) {
    for (const [guest, list] of Object.entries(patterns)) {
      this.#allowed.set(guest, list.map(parsePattern));
    }
    this.#limits = limits;
    // The operator's own certificate is not for servers that guests choose.
    const { ca, rejectUnauthorized } = tls;
    this.#tls = {
      ...(ca !== undefined && { ca }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    };
  }

  /**
   * A connection to a server that a guest names: no other guest shares it.
   *
   * @param open how many such connections the guest has
   * @throws ConnectError PERMISSION_DENIED, INVALID_ARGUMENT, RESOURCE_EXHAUSTED
   */
  connect(guest: string, url: string, open: number): Connection {
    const allowed = this.#allowed.get(guest) ?? [];
    if (allowed.length === 0) {
      throw new ConnectError(
        "no server may be named by this guest: ask the operator for `guestUrls`, or open a connection by its name",
        Code.PermissionDenied,
      );
    }
    const address = parse(url, this.#tls);
    if (!allowed.some((one) => matches(one, address))) {
      throw new ConnectError(
        `${address.shown} is no server that this guest may name: ask the operator to add it to \`guestUrls\``,
        Code.PermissionDenied,
      );
    }
    const { urlConnections: most } = DEFAULT_REDIS_LIMITS;
    if (open >= most) {
      throw tooMany(`${most} connections to servers of one's own are open: close one`, 1_000);
    }
    const connection = new ServerConnection(address, this.#limits);
    this.#open.set(connection, guest);
    return connection;
  }

  /**
   * How the servers do that guests have named. None of them makes the backend itself unhealthy: they are not the operator's,
   * and a guest could name one that never answers.
   */
  async health(): Promise<string[]> {
    const asked = [...this.#open].map(async ([connection, guest]) => {
      const { ok, message = "ok" }: Health = await connection.health();
      return `${guest}: ${ok ? "" : "not ok, "}${message}`;
    });
    return Promise.all(asked);
  }

  async close(connection: Connection): Promise<void> {
    this.#open.delete(connection);
    await connection[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#open.keys()) await this.close(connection);
  }
}

function parsePattern(pattern: string): Allowed {
  const [, scheme, host = "", port = ""] = PATTERN.exec(pattern) ?? [];
  if (scheme === undefined || Number(port) > 65_535) {
    throw new TypeError(
      `redis: "${pattern}" in guestUrls must be redis://HOST:PORT or rediss://HOST:PORT, with *. before a host and * for any port`,
    );
  }
  return {
    tls: scheme === "rediss",
    host: host.startsWith("*.") ? host.slice(1) : host.replaceAll(/[[\]]/g, ""),
    port: port === "*" ? undefined : Number(port),
  };
}

function parse(url: string, tls: RedisTls): Address {
  try {
    return parseAddress(url, "url", tls);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof URIError)) throw error;
    // The text may hold a password: it is not repeated.
    const message = "the URL must be redis://HOST:PORT or rediss://HOST:PORT";
    throw new ConnectError(message, Code.InvalidArgument);
  }
}

/** What is compared is what is connected to: the host and the port of the address, not the text of the URL. */
function matches(allowed: Allowed, { host, port, tls }: Address): boolean {
  if (host === undefined || allowed.tls !== (tls !== undefined)) return false;
  if (allowed.port !== undefined && allowed.port !== port) return false;
  return allowed.host.startsWith(".")
    ? host.length > allowed.host.length && host.endsWith(allowed.host)
    : host === allowed.host;
}
