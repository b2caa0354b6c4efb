import { Code, ConnectError } from "@connectrpc/connect";
import type { Health } from "@dropthrough/dispatch";
import type {
  Argument,
  CallContext,
  Channels,
  Command,
  Connection,
  Listener,
  Now,
  Reply,
  Unanswered,
  Watch,
} from "../connection.ts";
import { fromReply, tooLarge, tooMany } from "../redis-error.ts";
import { sizeOf } from "../reply.ts";
import { type Address, type Nodes, shownOf } from "./address.ts";
import type { Asked } from "./asked.ts";
import { isAbort, isReplyError, type ServerClient } from "./client.ts";
import { slotOfAll } from "./cluster-route.ts";
import { linkTo } from "./link-to.ts";
import type { Link, LinkLimits } from "./link.ts";
import { onlyReads } from "./only-reads.ts";
import { astray, MOST_MOVES } from "./redirects.ts";
import { type Counts, ReplyAnswer } from "./reply-answer.ts";
import { Subscriber } from "./subscriber.ts";
import { movedTo, WatchPool } from "./watch-pool.ts";

/** What a connection may take, and how long. See RedisOptions. */
export interface ServerLimits extends LinkLimits {
  readonly maxInFlight: number;
  readonly replayReads: boolean;
}

/** With so many commands under way, one may have to wait before it is sent, and it is worth taking it back in time. */
const CROWDED = 1_000;

/** How a command is sent: whether others follow at once, and whether it may be sent again if it only reads. */
const ALONE: { readonly more?: boolean; readonly again?: boolean } = {};

/** For what no caller sent. */
const NOBODYS: Unanswered = { count: 0 };

const PING: Command = { args: ["PING"] };
/** How long a healthy server may take for a sign of life. */
const HEALTH_MS = 1_000;

/**
 * A connection to a real server, shared by all guests: commands of one turn of the event loop share a write. It comes
 * back by itself after an outage, and never sends a command twice.
 */
export class ServerConnection implements Connection, Counts {
  readonly #nodes: Nodes;
  readonly #shown: string;
  readonly #limits: ServerLimits;
  readonly #link: Link;
  readonly #subscriber: Subscriber;
  readonly #watches: WatchPool;
  #inFlight = 0;

  /** @param nodes one server, or some nodes of a cluster */
  constructor(nodes: Nodes, limits: ServerLimits) {
    this.#nodes = nodes;
    this.#shown = shownOf(nodes);
    this.#limits = limits;
    this.#link = linkTo(nodes, limits);
    this.#subscriber = new Subscriber(nodes, limits);
    this.#watches = new WatchPool(limits);
  }

  ready(context: CallContext): Now<void> {
    const client = this.#link.ready(context);
    if (client instanceof Promise) return client.then(() => {});
  }

  send<T>(
    command: Command,
    context: CallContext,
    read: (reply: Reply) => T,
    unanswered: Unanswered,
  ): Promise<T> {
    // A signal costs as much as the command: it is left out where there is nothing to take back.
    const signal = this.#inFlight >= CROWDED ? context.signal : undefined;
    const client = this.#begin(context, 1);
    const answer = new ReplyAnswer(this, unanswered, read);
    this.#send(client, command, answer, context, signal);
    return answer;
  }

  async pipeline(commands: readonly Command[], context: CallContext): Promise<readonly Reply[]> {
    if (commands.length === 0) return [];
    const signal = this.#inFlight + commands.length > CROWDED ? context.signal : undefined;
    const client = this.#begin(context, commands.length);
    return this.#sendAll(client, commands, context, signal);
  }

  async transaction(commands: readonly Command[], context: CallContext): Promise<readonly Reply[]> {
    const weight = commands.length + 2;
    const client = this.#begin(context, weight);
    let replies: readonly Reply[];
    try {
      replies = await (await client).transaction(commands);
    } catch (error) {
      throw this.failed(error, weight);
    }
    this.ended(weight);
    return replies;
  }

  async watch(keys: readonly Argument[], context: CallContext): Promise<Watch> {
    const client = await this.#link.ready(context);
    if (client.placeOf === undefined) return this.#watches.open(this.#nodes, keys, context);
    const [key = ""] = keys;
    let place = await this.#placed(client.placeOf(key));
    let asking = false;
    for (let moves = 0; ; moves++) {
      try {
        return this.#ofOneSlot(await this.#watches.open(place, keys, context, asking));
      } catch (error) {
        const to = movedTo(error);
        if (to === undefined) throw error;
        if (moves === MOST_MOVES) throw astray(ConnectError.from(error).cause);
        place = await this.#placed(client.placeOf(key, { to, from: place, moves }));
        ({ asking } = to);
      }
    }
  }

  async subscribe(
    channels: Channels,
    listener: Listener,
    context: CallContext,
  ): Promise<AsyncDisposable> {
    return this.#subscriber.subscribe(channels, listener, context);
  }

  async health(): Promise<Health> {
    const { failure, reconnects } = this.#link;
    const shown = this.#shown;
    const use = `${reconnects} reconnects, ${this.#inFlight} commands under way, ${this.#watches.size} watches`;
    if (failure !== undefined)
      return { ok: false, message: `${shown} is down (${failure}), ${use}` };
    const started = performance.now();
    try {
      await Promise.race([
        this.send(PING, { signal: AbortSignal.timeout(HEALTH_MS) }, () => {}, NOBODYS),
        late(HEALTH_MS),
      ]);
    } catch (error) {
      const { rawMessage } = ConnectError.from(error);
      return { ok: false, message: `${shown} does not answer (${rawMessage}), ${use}` };
    }
    const ms = (performance.now() - started).toFixed(1);
    return { ok: true, message: `${shown}, ping ${ms} ms, ${use}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.close();
    this.#subscriber.close();
    this.#watches.close();
  }

  /** Makes room for commands; answers the client once the link is up. */
  #begin(context: CallContext, weight: number): Now<ServerClient> {
    // What is larger than the limit by itself goes when nothing else is under way.
    if (this.#inFlight > 0 && this.#inFlight + weight > this.#limits.maxInFlight) {
      const message = `${this.#inFlight} commands are under way to ${this.#shown}: no room for ${weight} more`;
      throw tooMany(message, 100);
    }
    const client = this.#link.ready(context);
    this.#inFlight += weight;
    return client;
  }

  ended(weight: number): void {
    this.#inFlight -= weight;
  }

  #send(
    client: Now<ServerClient>,
    command: Command,
    asked: Asked,
    context: CallContext,
    signal: AbortSignal | undefined,
    { more = false, again = true } = ALONE,
  ): void {
    if (client instanceof Promise) {
      client.then(
        (ready) => this.#send(ready, command, asked, context, signal, { more, again }),
        (error: unknown) => asked.failed(error),
      );
      return;
    }
    const { args, script } = command;
    if (script !== undefined) {
      // It has not run if the server did not know it. It does then.
      const known = { ...command, args: ["EVAL", script.source, ...args.slice(2)] };
      const unknown = (error: unknown): boolean =>
        isReplyError(error) && error.message.startsWith("NOSCRIPT");
      const next = orElse(asked, unknown, () => client.send(known, asked, signal));
      client.send(command, next, signal, more);
    } else if (again && this.#limits.replayReads && onlyReads(args)) {
      const lost = (error: unknown): boolean =>
        !(isReplyError(error) || isAbort(error) || error instanceof ConnectError);
      const next = orElse(asked, lost, () => {
        // By then the link knows that it is down, and waits.
        const ready = Promise.resolve().then(() => this.#link.ready(context));
        this.#send(ready, command, asked, context, signal, { again: false });
      });
      client.send(command, next, signal, more);
    } else {
      client.send(command, asked, signal, more);
    }
  }

  /** Never rejects: each of the commands has a reply or an error of its own. */
  #sendAll(
    client: Now<ServerClient>,
    commands: readonly Command[],
    context: CallContext,
    signal: AbortSignal | undefined,
  ): Promise<readonly Reply[]> {
    return new Promise((resolve) => {
      const { maxReplyBytes: mostBytes } = this.#limits;
      const replies = Array.from<Reply>({ length: commands.length });
      let left = commands.length;
      let bytes = 0;
      const settle = (index: number, reply: Reply): void => {
        replies[index] = reply;
        if (--left === 0) resolve(replies);
      };
      // A read that is sent again after a write of the same pipeline would see what that one did.
      const one = { more: true, again: commands.every(({ args }) => onlyReads(args)) };
      for (const [index, command] of commands.entries()) {
        const asked: Asked = {
          answered: (reply) => {
            this.ended(1);
            bytes += sizeOf(reply);
            // Each of them may be small enough, and all together too large.
            settle(index, bytes > mostBytes ? tooLarge(bytes, mostBytes) : reply);
          },
          failed: (error) => settle(index, this.failed(error, 1)),
        };
        this.#send(client, command, asked, context, signal, one);
      }
    });
  }

  /** The same, but for transactions that no node of a cluster could take. */
  #ofOneSlot(watch: Watch): Watch {
    return {
      transaction: async (commands, context) => {
        try {
          slotOfAll(commands);
        } catch (error) {
          await watch[Symbol.asyncDispose]();
          throw this.failed(error, 0);
        }
        return watch.transaction(commands, context);
      },
      [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
    };
  }

  async #placed(place: Promise<Address>): Promise<Address> {
    try {
      return await place;
    } catch (error) {
      throw this.failed(error, 0);
    }
  }

  failed(error: unknown, weight: number): ConnectError {
    this.#inFlight -= weight;
    if (error instanceof ConnectError) return error;
    if (isReplyError(error)) return fromReply(error);
    if (isAbort(error)) {
      return new ConnectError("the command was given up before it was sent", Code.Canceled);
    }
    return this.#link.lost(error);
  }
}

async function late(ms: number): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
  throw new ConnectError(`no answer within ${ms} ms`, Code.DeadlineExceeded);
}

/** The same, but for some failures, after which something else is done. */
function orElse(asked: Asked, some: (error: unknown) => boolean, next: () => void): Asked {
  return {
    answered: (reply) => asked.answered(reply),
    failed: (error) => (some(error) ? next() : asked.failed(error)),
  };
}
