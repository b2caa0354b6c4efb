import type { HandlerContext } from "@connectrpc/connect";
import type { Health } from "@dropthrough/dispatch";
import type { Script } from "./script.ts";

/**
 * One word of a command. A `Buffer` is owned: it is no view of guest memory. What is text is ASCII and ours; whatever
 * a guest said is bytes.
 */
export type Argument = string | Buffer;

/** One command for Redis, as its words: `["GET", key]`. */
export interface Command {
  readonly args: readonly Argument[];
  /** Whether whole numbers of the reply may need more than 53 bits; they come as text then. */
  readonly exact?: boolean;
  /** What `args` runs, if they are `["EVALSHA", sha, "1", key, ...]`. */
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
  | readonly Reply[]
  | ReadonlyMap<Reply, Reply>;

/** What a command may know of the call that it is sent for. */
export type CallContext = Pick<HandlerContext, "signal">;

/**
 * The road to one Redis: the one seam between the contract and what answers it. There are two, `server/` and `embedded/`.
 */
export interface Connection extends AsyncDisposable {
  /**
   * Waits until commands can be sent.
   *
   * @throws ConnectError UNAVAILABLE or PERMISSION_DENIED
   */
  ready(context: CallContext): void | Promise<void>;
  /**
   * Sends one command and answers its reply, at once where the engine is in this process. Commands that are sent in one
   * turn of the event loop travel together.
   *
   * @throws ConnectError whatever the service comment of redis.proto says
   */
  send(command: Command, context: CallContext): Reply | Promise<Reply>;
  /** Is it able to answer? */
  health(): Health;
}
