import type { CallContext, Channels, Listener } from "../connection.ts";
import { fromReply } from "../redis-error.ts";
import type { Nodes } from "./address.ts";
import { atMost } from "./at-most.ts";
import { type Hear, isReplyError } from "./client.ts";
import { linkTo } from "./link-to.ts";
import type { Link, LinkLimits } from "./link.ts";

/** The one link of a server that listens: a connection that is subscribed can do little else. */
export class Subscriber {
  readonly #link: Link;
  readonly #limits: LinkLimits;
  readonly #listeners = new Set<Listener>();

  constructor(nodes: Nodes, limits: LinkLimits) {
    this.#limits = limits;
    // The library subscribes again by itself; what was said meanwhile is gone.
    this.#link = linkTo(nodes, limits, () => {
      for (const listener of this.#listeners) listener.interrupted();
    });
  }

  /** @throws ConnectError UNAVAILABLE and others */
  async subscribe(
    { channels, patterns }: Channels,
    listener: Listener,
    context: CallContext,
  ): Promise<AsyncDisposable> {
    const client = await this.#link.ready(context);
    const hears = (channel: Buffer, message: Buffer, pattern?: Buffer): void => {
      // It may have ended while the link was down, and then the library still knows of it.
      if (this.#listeners.has(listener)) listener.message(channel, message, pattern);
    };
    const byName: Hear = (message, channel) => hears(channel, message);
    const wanted = [
      ...unique(channels).map((name) => ({ kind: "channel" as const, name, hear: byName })),
      ...unique(patterns).map((name) => {
        const pattern = Buffer.from(name);
        const hear: Hear = (message, channel) => hears(channel, message, pattern);
        return { kind: "pattern" as const, name, hear };
      }),
    ];
    const unlisten = async (): Promise<void> => {
      this.#listeners.delete(listener);
      // If the link is down, there is nothing to say: it will not subscribe to this again.
      const all = wanted.map(({ kind, name, hear }) => client.unlisten(kind, name, hear));
      // A server that does not answer keeps nobody from ending.
      await atMost(this.#limits.connectTimeoutMs, Promise.allSettled(all));
    };
    this.#listeners.add(listener);
    try {
      await Promise.all(wanted.map(({ kind, name, hear }) => client.listen(kind, name, hear)));
    } catch (error) {
      await unlisten();
      throw isReplyError(error) ? fromReply(error) : this.#link.lost(error);
    }
    return { [Symbol.asyncDispose]: unlisten };
  }

  close(): void {
    this.#link.close();
  }
}

function unique(names: readonly Buffer[]): string[] {
  return [...new Set(names.map((name) => name.toString()))];
}
