import type { HandlerContext } from "@connectrpc/connect";
import type { Health } from "@dropthrough/dispatch";
import type { Script } from "./script.ts";

/**
 * One word of a command. A `Buffer` is owned: it is no view of guest memory. Text is ASCII.
 */
export type Argument = string | Buffer;

/** One command for Redis, as its words: `["GET", key]`. */
export interface Command {
  readonly args: readonly Argument[];
  /**
   * Whether whole numbers of the reply may need more than 53 bits, or must not be taken for other numbers: they come as
   * text or bigint then, and a number is a double.
   */
  readonly exact?: boolean;
  /** What `args` runs, if they are `["EVALSHA", sha, number of keys, ...keys, ...values]`. */
  readonly script?: Script;
}

/** What Redis answered: a string is a status such as OK, a value is bytes, an `Error` stands only inside a list. */
export type Reply =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Error
  | readonly Reply[];

/** What a command may know of the call that it is sent for. Its signal is made when it is first asked for: ask late. */
export type CallContext = Pick<HandlerContext, "signal">;

/** How many commands of one caller are not answered yet, whether or not anybody still waits for it. */
export interface Unanswered {
  count: number;
}

/** An answer that is there at once where the engine is in this process. */
export type Now<T> = T | Promise<T>;

/**
 * The road to one Redis: the one seam between the contract and what answers it. There are two, `server/` and `embedded/`.
 * Everything throws ConnectError, with the codes that the service comment of redis.proto lists.
 */
export interface Connection extends AsyncDisposable {
  /** Waits until commands can be sent. */
  ready(context: CallContext): Now<void>;
  /**
   * Sends one command and answers what `read` makes of its reply. Commands that are sent in one turn of the event loop
   * travel together.
   *
   * @param unanswered counts it, as long as it is under way
   */
  send<T>(
    command: Command,
    context: CallContext,
    read: (reply: Reply) => T,
    unanswered: Unanswered,
  ): Now<T>;
  /**
   * Sends commands one after the other, between which those of others may come. Answers a reply or an `Error` for each,
   * which is a ConnectError if Redis gave none.
   */
  pipeline(commands: readonly Command[], context: CallContext): Now<readonly Reply[]>;
  /** Sends commands that run with nothing between. Answers a reply or an `Error` for each. */
  transaction(commands: readonly Command[], context: CallContext): Now<readonly Reply[]>;
  /** Keeps an eye on keys, on a connection of its own. */
  watch(keys: readonly Argument[], context: CallContext): Now<Watch>;
  /** Hears what is said on channels, until it is disposed. */
  subscribe(channels: Channels, listener: Listener, context: CallContext): Now<AsyncDisposable>;
  /** Is it able to answer, and how fast? */
  health(): Now<Health>;
}

/** An eye on some keys. Dispose it to close it. */
export interface Watch extends AsyncDisposable {
  /** As `Connection.transaction`, and ends the watch. Undefined, and nothing is done, if a key has changed. */
  transaction(
    commands: readonly Command[],
    context: CallContext,
  ): Now<readonly Reply[] | undefined>;
}

/** What to listen to. */
export interface Channels {
  readonly channels: readonly Buffer[];
  readonly patterns: readonly Buffer[];
}

/** Who hears what is said. */
export interface Listener {
  message(channel: Uint8Array, message: Uint8Array, pattern?: Uint8Array): void;
  /** The connection was lost and made again: something may have been missed. */
  interrupted(): void;
  /** It was, and the server now refuses what was listened to: nothing more is heard. */
  refused(reply: Error): void;
}

/** Goes on with an answer, at once if it is there. */
export function whenDone<T, U>(answer: Now<T>, next: (value: T) => U): Now<U> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}
