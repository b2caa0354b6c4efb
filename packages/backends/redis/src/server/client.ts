import {
  AbortError,
  ErrorReply,
  RESP_TYPES,
  type RedisClientOptions,
  type TypeMapping,
} from "@redis/client";
import type { Argument, Command, Reply } from "../connection.ts";
import { ReplyError } from "../redis-error.ts";
import type { Address } from "./address.ts";
import type { Asked } from "./asked.ts";
import { backoff } from "./backoff.ts";
import type { Elsewhere } from "./elsewhere.ts";

/** What the owner hears of its client. */
export interface ClientEvents {
  /** It is there, or once more: then nothing is listened to any more. */
  readonly up: () => void;
  down(cause: Error): void;
  /** A message for those who listen was too large. */
  missed?(): void;
  /** The next try is that many milliseconds away. */
  readonly retryIn: (ms: number) => void;
}

/** What a client may take. See RedisOptions. */
export interface ClientLimits {
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly maxReplyBytes: number;
}

/** What is connected to a server, or to all nodes of a cluster, and stays so: it sends words and gets replies. */
export interface ServerClient {
  readonly isReady: boolean;
  /** Whether it ever was. */
  readonly wasReady: boolean;
  /**
   * Those that are sent in one turn of the event loop travel together.
   *
   * @param more whether others are sent in the same turn
   */
  send(command: Command, asked: Asked, signal?: AbortSignal, more?: boolean): void;
  /** MULTI, the commands and EXEC, in one write. Rejects with what made Redis refuse it, if it did. */
  transaction(commands: readonly Command[]): Promise<readonly Reply[]>;
  /** Where the server with a key is, if that depends on the key. @param moved what the last one said, that has it no more */
  placeOf?(key: Argument, moved?: Moved): Promise<Address>;
  /** Hears a channel, or a pattern of them, until the connection is lost. The library knows them by text. */
  listen(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void>;
  unlisten(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void>;
  /** Closes it at once; what is under way fails. */
  destroy(): void;
}

/** That a node says that something is elsewhere, which others have said so many times before. */
export interface Moved {
  readonly to: Elsewhere;
  readonly from: Address;
  readonly moves: number;
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

/** What the parts of a reply become. */
export function typesOf({ exact = false }: Command): TypeMapping {
  return exact ? EXACT_TYPES : BYTES;
}

/** Sends a command, and waits with a promise. @param more whether others are sent in the same turn */
export async function ask(client: ServerClient, command: Command, more = false): Promise<Reply> {
  return new Promise((resolve, reject) =>
    client.send(command, { answered: resolve, failed: reject }, undefined, more),
  );
}

/** Lets a node take the next command, or transaction, though it does not have the slot yet. Send that in the same turn. */
export function sendAsking(client: ServerClient): void {
  ask(client, { args: ["ASKING"] }, true).catch(() => {});
}

/** Sends MULTI, the commands and EXEC in one turn of the event loop, so that nothing of others comes between. */
export async function sendTransaction(
  send: (command: Command) => Promise<Reply>,
  commands: readonly Command[],
): Promise<readonly Reply[]> {
  const queued = [
    send({ args: ["MULTI"] }),
    ...commands.map(({ args, script }) =>
      send({
        args: script === undefined ? args : ["EVAL", script.source, ...args.slice(2)],
      }),
    ),
  ];
  const [done, ...refused] = await Promise.allSettled([
    send({ args: ["EXEC"], exact: true }),
    ...queued,
  ]);
  if (done.status === "fulfilled") return done.value as readonly Reply[];
  // EXEC only says that something before it was wrong.
  const first = refused.find((answer) => answer.status === "rejected");
  throw first?.reason ?? done.reason;
}

/** How the library's own client is told to reach one server. */
export function nodeOptions(address: Address, connectTimeoutMs: number): RedisClientOptions {
  const { username, password, database } = address;
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
    socket: {
      ...socketOptions(address, connectTimeoutMs),
      reconnectStrategy: (tries) => backoff(tries),
    },
  };
}

/** Where one server is, and how long to wait for it. */
export function socketOptions(
  { host = "", port = 0, path, tls }: Address,
  connectTimeout: number,
): NonNullable<RedisClientOptions["socket"]> {
  if (path !== undefined) return { path, tls: false, connectTimeout };
  return { host, port, connectTimeout, ...(tls !== undefined && { tls: true as const, ...tls }) };
}

/** Whether the server answered, with an error. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof ErrorReply || error instanceof ReplyError;
}

/** Whether the call was given up before the command was sent. */
export function isAbort(error: unknown): boolean {
  return error instanceof AbortError;
}
