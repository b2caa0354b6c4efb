import { setTimeout as sleep } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import type { CallContext, Channels, Listener } from "../connection.ts";
import { fromReply } from "../redis-error.ts";
import type { Nodes } from "./address.ts";
import { atMost } from "./at-most.ts";
import { backoff } from "./backoff.ts";
import { type Hear, isReplyError, type ServerClient } from "./client.ts";
import { linkTo } from "./link-to.ts";
import type { Link, LinkLimits } from "./link.ts";

/** One who listens, to what, and by way of what. */
interface Subscribed {
  readonly listener: Listener;
  readonly client: ServerClient;
  readonly wanted: readonly Wanted[];
  /** How often it was taken up again. */
  turn: number;
}

interface Wanted {
  readonly kind: "channel" | "pattern";
  readonly name: string;
  readonly hear: Hear;
}

/** The one link of a server that listens: a connection that is subscribed can do little else. */
export class Subscriber {
  readonly #link: Link;
  readonly #limits: LinkLimits;
  readonly #subscribed = new Set<Subscribed>();
  readonly #closing = new AbortController();

  constructor(nodes: Nodes, limits: LinkLimits) {
    this.#limits = limits;
    this.#link = linkTo(nodes, limits, {
      // What was said meanwhile is gone.
      returned: () => {
        for (const one of this.#subscribed) void this.#takeUp(one);
      },
      missed: () => {
        for (const { listener } of this.#subscribed) listener.interrupted();
      },
    });
  }

  /** @throws ConnectError UNAVAILABLE and others */
  async subscribe(
    channels: Channels,
    listener: Listener,
    context: CallContext,
  ): Promise<AsyncDisposable> {
    const client = await this.#link.ready(context);
    const one: Subscribed = {
      listener,
      client,
      wanted: wantedOf(channels, (channel, message, pattern) => {
        // It may have ended, and the server not have heard of it yet.
        if (this.#subscribed.has(one)) listener.message(channel, message, pattern);
      }),
      turn: 0,
    };
    this.#subscribed.add(one);
    try {
      await listen(one);
    } catch (error) {
      await this.#end(one);
      throw isReplyError(error) ? fromReply(error) : this.#link.lost(error);
    }
    if (context.signal.aborted) {
      // Nobody would ever poll it, or end it.
      await this.#end(one);
      context.signal.throwIfAborted();
    }
    return { [Symbol.asyncDispose]: async () => this.#end(one) };
  }

  close(): void {
    this.#subscribed.clear();
    this.#closing.abort();
    this.#link.close();
  }

  /** Asks for the same once more. A server that says "not now" is asked until it has time, or is lost as well. */
  async #takeUp(one: Subscribed): Promise<void> {
    const turn = ++one.turn;
    for (let tries = 0; this.#subscribed.has(one) && turn === one.turn; tries++) {
      try {
        await listen(one);
        if (this.#subscribed.has(one)) one.listener.interrupted();
        else await this.#end(one);
        return;
      } catch (error) {
        if (!isReplyError(error)) return;
        if (fromReply(error).code !== Code.Unavailable) {
          one.listener.refused(error);
          return this.#end(one);
        }
      }
      const { signal } = this.#closing;
      await sleep(backoff(tries), undefined, { signal }).catch(() => {});
    }
  }

  async #end(one: Subscribed): Promise<void> {
    this.#subscribed.delete(one);
    // If the link is down, there is nothing to say: it will not subscribe to this again.
    const all = one.wanted.map(({ kind, name, hear }) => one.client.unlisten(kind, name, hear));
    // A server that does not answer keeps nobody from ending.
    await atMost(this.#limits.connectTimeoutMs, Promise.allSettled(all));
  }
}

/** What was asked for already is not asked for again. */
async function listen({ client, wanted }: Subscribed): Promise<void> {
  await Promise.all(wanted.map(({ kind, name, hear }) => client.listen(kind, name, hear)));
}

function wantedOf({ channels, patterns }: Channels, hears: Listener["message"]): Wanted[] {
  const byName: Hear = (message, channel) => hears(channel, message);
  return [
    ...unique(channels).map((name) => ({ kind: "channel" as const, name, hear: byName })),
    ...unique(patterns).map((name) => {
      const pattern = Buffer.from(name);
      const hear: Hear = (message, channel) => hears(channel, message, pattern);
      return { kind: "pattern" as const, name, hear };
    }),
  ];
}

function unique(names: readonly Buffer[]): string[] {
  return [...new Set(names.map((name) => name.toString()))];
}
