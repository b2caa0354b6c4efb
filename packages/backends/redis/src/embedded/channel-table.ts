import type { Channels, Listener } from "../connection.ts";
import { matches } from "./glob.ts";

/** One who listens. */
interface Subscriber {
  readonly channels: ReadonlySet<string>;
  readonly patterns: readonly string[];
  readonly listener: Listener;
}

/** Who listens to what. */
export class ChannelTable {
  readonly #subscribers = new Set<Subscriber>();

  subscribe({ channels, patterns }: Channels, listener: Listener): Disposable {
    const subscriber: Subscriber = {
      channels: new Set(channels.map((channel) => channel.toString("latin1"))),
      patterns: [...new Set(patterns.map((pattern) => pattern.toString("latin1")))],
      listener,
    };
    this.#subscribers.add(subscriber);
    return { [Symbol.dispose]: () => void this.#subscribers.delete(subscriber) };
  }

  /** Answers how many ways there were to hear it, as on a server to which all guests have one connection. */
  publish(channel: string, message: string): number {
    const ways = new Set<string | undefined>();
    const hear = ({ listener }: Subscriber, pattern?: string): void => {
      ways.add(pattern);
      const by = pattern === undefined ? undefined : bytesOf(pattern);
      listener.message(bytesOf(channel), bytesOf(message), by);
    };
    for (const subscriber of this.#subscribers) {
      if (subscriber.channels.has(channel)) hear(subscriber);
      for (const pattern of subscriber.patterns) {
        if (matches(pattern, channel)) hear(subscriber, pattern);
      }
    }
    return ways.size;
  }
}

/** Messages are no part of a reply. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
