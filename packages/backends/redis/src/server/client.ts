import { AbortError, createClient, ErrorReply, RESP_TYPES, type TypeMapping } from "redis";
import type { Argument, Command, Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Address } from "./address.ts";
import { backoff } from "./backoff.ts";

/** What the owner hears of its client. */
export interface ClientEvents {
  up(): void;
  down(cause: Error): void;
  /** The server said what cannot be read. What comes next may be the middle of a reply: the connection is of no use. */
  garbled?(): void;
  /** The next try is that many milliseconds away. */
  readonly retryIn: (ms: number) => void;
}

/** One client of the library `redis`, reduced to what we use of it: sending words and getting replies. */
export interface ServerClient {
  readonly isReady: boolean;
  /** Whether it ever was. */
  readonly wasReady: boolean;
  send(command: Command, signal?: AbortSignal): Promise<Reply>;
  /** MULTI, the commands and EXEC, in one write. Rejects with what made Redis refuse it, if it did. */
  transaction(commands: readonly Command[]): Promise<readonly Reply[]>;
  /** Where the server with a key is, if that depends on the key. */
  placeOf?(key: Argument): Promise<Address>;
  /** Hears a channel, or a pattern of them. The library knows them by text. */
  listen(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void>;
  unlisten(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void>;
  /** Closes it at once; what is under way fails. */
  destroy(): void;
}

/** What hears a message. */
export type Hear = (message: Buffer, channel: Buffer) => void;

/** Values are bytes. Maps come flat: the library would make text of their keys. */
export const BYTES: TypeMapping = {
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.VERBATIM_STRING]: Buffer,
  [RESP_TYPES.MAP]: Array,
};
/** The same, with whole numbers as text, so that all 64 bits arrive. */
const EXACT_TYPES: TypeMapping = { ...BYTES, [RESP_TYPES.NUMBER]: String };

const SEND: SendOptions = { typeMapping: BYTES };
const SEND_EXACT: SendOptions = { typeMapping: EXACT_TYPES };

/** Makes a client and lets it connect, and come back after an outage, for as long as it takes. */
export function connectClient(
  address: Address,
  connectTimeoutMs: number,
  events: ClientEvents,
): ServerClient {
  const options = nodeOptions(address, connectTimeoutMs, events.retryIn);
  const client = createClient({
    ...options,
    commandOptions: { ...options.commandOptions, typeMapping: BYTES },
  });
  let wasReady = false;
  let destroyed = false;
  client.on("ready", () => {
    wasReady = true;
    events.up();
  });
  client.on("error", (cause: Error) => {
    if (destroyed) return;
    // The library tells so of a reply that it could not read, and goes on with the next byte.
    if (client.isReady && events.garbled !== undefined) events.garbled();
    else events.down(cause);
  });
  // Whether it comes up is told by the events.
  client.connect().catch(() => {});
  // Most commands need no options but those of the client, which the library then does not have to merge with others.
  const send = (args: readonly Argument[], exact: boolean, signal?: AbortSignal): Promise<Reply> =>
    exact || signal !== undefined
      ? client.sendCommand<Reply>(args, sendOptions(exact, signal))
      : client.sendCommand<Reply>(args);
  return {
    get isReady() {
      return client.isReady;
    },
    get wasReady() {
      return wasReady;
    },
    send: ({ args, exact = false }, signal) => send(args, exact, signal),
    transaction: (commands) => sendTransaction(send, commands),
    listen: (kind, name, hear) =>
      kind === "channel" ? client.subscribe(name, hear, true) : client.pSubscribe(name, hear, true),
    unlisten: (kind, name, hear) =>
      kind === "channel"
        ? client.unsubscribe(name, hear, true)
        : client.pUnsubscribe(name, hear, true),
    destroy() {
      if (destroyed) return;
      destroyed = true;
      client.destroy();
    },
  };
}

/** What the library is told of one command. */
export function sendOptions(exact: boolean, signal?: AbortSignal): SendOptions {
  const options = exact ? SEND_EXACT : SEND;
  return signal === undefined ? options : { ...options, abortSignal: signal };
}

/** Sends MULTI, the commands and EXEC in one turn of the event loop, so that nothing of others comes between. */
export async function sendTransaction(
  send: (args: readonly Argument[], exact: boolean) => Promise<Reply>,
  commands: readonly Command[],
): Promise<readonly Reply[]> {
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
}

/** How one server is reached. @param retryIn hears when the next try is */
export function nodeOptions(
  { username, password, database, host = "", port = 0, path, tls }: Address,
  connectTimeout: number,
  retryIn: (ms: number) => void,
): NodeOptions {
  const reconnectStrategy = (retries: number): number => {
    const ms = backoff(retries);
    retryIn(ms);
    return ms;
  };
  const common = { connectTimeout, reconnectStrategy };
  return {
    RESP: 3,
    // No command is kept for later: what cannot be sent fails, and is never sent twice.
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    // The library would give every command a timer of 5 s, which costs as much as the command. Calls have deadlines.
    commandOptions: { timeout: 0 },
    database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    socket:
      path === undefined
        ? { host, port, ...common, ...(tls !== undefined && { tls: true as const, ...tls }) }
        : { path, tls: false, ...common },
  };
}

type NodeOptions = NonNullable<Parameters<typeof createClient>[0]>;
interface SendOptions {
  readonly typeMapping: TypeMapping;
  readonly abortSignal?: AbortSignal;
}

/** Whether the server answered, with an error. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof ErrorReply || error instanceof ReplyError;
}

/** Whether the call was given up before the command was sent. */
export function isAbort(error: unknown): boolean {
  return error instanceof AbortError;
}
