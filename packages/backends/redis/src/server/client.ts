import { AbortError, createClient, ErrorReply, RESP_TYPES } from "redis";
import type { Command, Reply } from "../connection.ts";
import type { Address } from "./address.ts";
import { backoff } from "./backoff.ts";

/** What the connection hears of its client. */
export interface ClientEvents {
  up(): void;
  down(cause: Error): void;
  /** The next try is that many milliseconds away. */
  retryIn(ms: number): void;
}

/** One client of the library `redis`, reduced to what we use of it: sending words and getting replies. */
export interface ServerClient {
  readonly isReady: boolean;
  /** Whether it ever was. */
  readonly wasReady: boolean;
  send(command: Command, signal: AbortSignal): Promise<Reply>;
  /** Closes it at once; what is under way fails. */
  destroy(): void;
}

// Values are bytes. Maps come flat: the library would make text of their keys.
const TYPES = {
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.VERBATIM_STRING]: Buffer,
  [RESP_TYPES.MAP]: Array,
} as const;
/** The same, with whole numbers as text, so that all 64 bits arrive. */
const EXACT_TYPES = { ...TYPES, [RESP_TYPES.NUMBER]: String } as const;

/** Makes a client and lets it connect, for as long as it takes. */
export function connectClient(
  address: Address,
  connectTimeoutMs: number,
  events: ClientEvents,
): ServerClient {
  const { username, password, database } = address;
  const reconnectStrategy = (retries: number): number => {
    const ms = backoff(retries);
    events.retryIn(ms);
    return ms;
  };
  const common = { connectTimeout: connectTimeoutMs, reconnectStrategy };
  const { host = "", port = 0, path } = address;
  const client = createClient({
    RESP: 3,
    // No command is kept for later: what cannot be sent fails, and is never sent twice.
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    socket:
      path === undefined
        ? { host, port, ...common, ...(address.tls && { tls: true as const }) }
        : { path, tls: false, ...common },
  });
  let wasReady = false;
  let destroyed = false;
  client.on("ready", () => {
    wasReady = true;
    events.up();
  });
  client.on("error", (cause: Error) => {
    if (!destroyed) events.down(cause);
  });
  // Whether it comes up is told by the events; it only ends when it is destroyed.
  client.connect().catch(() => {});
  return {
    get isReady() {
      return client.isReady;
    },
    get wasReady() {
      return wasReady;
    },
    async send({ args, exact, script }, abortSignal) {
      const options = { typeMapping: exact === true ? EXACT_TYPES : TYPES, abortSignal };
      if (script === undefined) return client.sendCommand<Reply>(args, options);
      try {
        return await client.sendCommand<Reply>(args, options);
      } catch (error) {
        if (!(isReplyError(error) && error.message.startsWith("NOSCRIPT"))) throw error;
        // It has not run: the server did not know it. It does now.
        return client.sendCommand<Reply>(["EVAL", script.source, ...args.slice(2)], options);
      }
    },
    destroy() {
      destroyed = true;
      client.destroy();
    },
  };
}

/** Whether the server answered, with an error. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof ErrorReply;
}

/** Whether the call was given up before the command was sent. */
export function isAbort(error: unknown): boolean {
  return error instanceof AbortError;
}
