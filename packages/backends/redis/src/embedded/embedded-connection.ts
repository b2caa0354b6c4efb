import type { Clock, Health } from "@dropthrough/dispatch";
import type {
  Argument,
  CallContext,
  Channels,
  Command,
  Connection,
  Listener,
  Reply,
  Watch,
} from "../connection.ts";
import { fromReply, ReplyError } from "../redis-error.ts";
import { Engine } from "./engine.ts";
import { answerWithin } from "./reply-room.ts";

/** The commands whose numbers are doubles; those of all others are whole. */
const DOUBLES = new Set(["ZINCRBY", "ZMSCORE", "ZRANGE", "ZPOPMIN", "ZPOPMAX", "ZSCAN"]);

function toExact(name: Argument | undefined, reply: Reply): Reply {
  if (typeof name === "string" && DOUBLES.has(name)) return reply;
  if (Array.isArray(reply)) return reply.map((item) => toExact(name, item as Reply));
  return typeof reply === "number" ? BigInt(reply) : reply;
}

/** The road to the engine inside this process: every command is answered at once. */
export class EmbeddedConnection implements Connection {
  readonly #engine: Engine;
  readonly #maxReplyBytes: number;

  /**
   * @param maxBytes what the engine may take of the host's memory
   * @param maxReplyBytes what the replies of one call may
   */
  constructor(clock: Clock, maxBytes: number, maxReplyBytes: number) {
    this.#engine = new Engine(clock, maxBytes);
    this.#maxReplyBytes = maxReplyBytes;
  }

  ready(): void {}

  send<T>(command: Command, _: CallContext, read: (reply: Reply) => T): T {
    let reply: Reply;
    try {
      reply = answerWithin(this.#maxReplyBytes, () => this.#run(command));
    } catch (error) {
      if (error instanceof ReplyError) throw fromReply(error);
      throw error;
    }
    return read(reply);
  }

  pipeline(commands: readonly Command[]): readonly Reply[] {
    return this.transaction(commands);
  }

  transaction(commands: readonly Command[]): readonly Reply[] {
    const all = commands.map((command) => () => this.#run(command));
    return answerWithin(this.#maxReplyBytes, () => this.#engine.runAll(all));
  }

  watch(keys: readonly Argument[]): Watch {
    const watch = this.#engine.watch(keys);
    return {
      transaction: (commands) => {
        const { changed } = watch;
        watch[Symbol.dispose]();
        return changed ? undefined : this.transaction(commands);
      },
      [Symbol.asyncDispose]: async () => watch[Symbol.dispose](),
    };
  }

  subscribe(channels: Channels, listener: Listener): AsyncDisposable {
    const subscription = this.#engine.channels.subscribe(channels, listener);
    return { [Symbol.asyncDispose]: async () => subscription[Symbol.dispose]() };
  }

  health(): Health {
    return {
      ok: true,
      message: `embedded, ${this.#engine.size} keys, ${this.#engine.bytes} bytes`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#engine.clear();
  }

  #run({ args, exact, script }: Command): Reply {
    if (script !== undefined) return this.#engine.runScript(script, args);
    const reply = this.#engine.run(args);
    return exact === true ? toExact(args[0], reply) : reply;
  }
}
