import { AbortError, createClient, ErrorReply, RESP_TYPES } from "redis";
import type { Argument, Command, Reply } from "../connection.ts";
import type { Address } from "./address.ts";
import { backoff } from "./backoff.ts";

/** What the owner hears of its client. */
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
  send(command: Command, signal?: AbortSignal): Promise<Reply>;
  /** MULTI, the commands and EXEC, in one write. Rejects with what made Redis refuse it, if it did. */
  transaction(commands: readonly Command[]): Promise<readonly Reply[]>;
  /** Hears a channel, or a pattern of them. The library knows them by text. */
  listen(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void>;
  unlisten(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void>;
  /** Closes it at once; what is under way fails. */
  destroy(): void;
}

/** What hears a message. */
export type Hear = (message: Buffer, channel: Buffer) => void;

// Values are bytes. Maps come flat: the library would make text of their keys.
const TYPES = {
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.VERBATIM_STRING]: Buffer,
  [RESP_TYPES.MAP]: Array,
} as const;
/** The same, with whole numbers as text, so that all 64 bits arrive. */
const EXACT_TYPES = { ...TYPES, [RESP_TYPES.NUMBER]: String } as const;

const SEND = { typeMapping: TYPES };
const SEND_EXACT = { typeMapping: EXACT_TYPES };

/** Makes a client and lets it connect, and come back after an outage, for as long as it takes. */
export function connectClient(
  address: Address,
  connectTimeoutMs: number,
  events: ClientEvents,
): ServerClient {
  const client = createClient(clientOptions(address, connectTimeoutMs, events));
  let wasReady = false;
  let destroyed = false;
  client.on("ready", () => {
    wasReady = true;
    events.up();
  });
  client.on("error", (cause: Error) => {
    if (!destroyed) events.down(cause);
  });
  // Whether it comes up is told by the events.
  client.connect().catch(() => {});
  const send = (
    args: readonly Argument[],
    exact: boolean,
    signal?: AbortSignal,
  ): Promise<Reply> => {
    const options = exact ? SEND_EXACT : SEND;
    return client.sendCommand<Reply>(args, signal ? { ...options, abortSignal: signal } : options);
  };
  return {
    get isReady() {
      return client.isReady;
    },
    get wasReady() {
      return wasReady;
    },
    send({ args, exact = false, script }, signal) {
      const sent = send(args, exact, signal);
      if (script === undefined) return sent;
      return sent.catch((error: unknown) => {
        if (!(isReplyError(error) && error.message.startsWith("NOSCRIPT"))) throw error;
        // It has not run: the server did not know it. It does now.
        return send(["EVAL", script.source, ...args.slice(2)], exact, signal);
      });
    },
    async transaction(commands) {
      // All in one turn of the event loop, so nothing of others comes between.
      const queued = [
        send(["MULTI"], false),
        ...commands.map(({ args, script }) =>
          send(script === undefined ? args : ["EVAL", script.source, ...args.slice(2)], false),
        ),
      ];
      const [done, ...refused] = await Promise.allSettled([send(["EXEC"], true), ...queued]);
      if (done.status === "fulfilled") return done.value as readonly Reply[];
      // EXEC only says that something before it was wrong.
      const first = refused.find((answer) => answer.status === "rejected");
      throw first?.reason ?? done.reason;
    },
    listen: (kind, name, hear) =>
      kind === "channel" ? client.subscribe(name, hear, true) : client.pSubscribe(name, hear, true),
    unlisten: (kind, name, hear) =>
      kind === "channel"
        ? client.unsubscribe(name, hear, true)
        : client.pUnsubscribe(name, hear, true),
    destroy() {
      destroyed = true;
      client.destroy();
    },
  };
}

function clientOptions(
  { username, password, database, host = "", port = 0, path, tls }: Address,
  connectTimeout: number,
  events: ClientEvents,
): NonNullable<Parameters<typeof createClient>[0]> {
  const reconnectStrategy = (retries: number): number => {
    const ms = backoff(retries);
    events.retryIn(ms);
    return ms;
  };
  const common = { connectTimeout, reconnectStrategy };
  return {
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
        ? { host, port, ...common, ...(tls && { tls: true as const }) }
        : { path, tls: false, ...common },
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
