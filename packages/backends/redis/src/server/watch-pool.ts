import { ConnectError } from "@connectrpc/connect";
import type { Argument, CallContext, Reply, Watch } from "../connection.ts";
import { fromReply, unavailable } from "../redis-error.ts";
import { type Nodes, shownOf } from "./address.ts";
import { atMost } from "./at-most.ts";
import { ask, isReplyError, sendAsking, type ServerClient } from "./client.ts";
import { crossSlot, slotOfKey } from "./cluster-route.ts";
import { type Elsewhere, elsewhere } from "./elsewhere.ts";
import { linkTo } from "./link-to.ts";
import type { Link, LinkLimits } from "./link.ts";

/** Links that are kept for the next watch. */
const MOST_IDLE = 4;

/** How long an answer may still come, in milliseconds, after the call that waited for it has ended: it saves a connection. */
const GRACE_MS = 250;

/** Links that each belong to one watch: what WATCH says is said of a whole connection. */
export class WatchPool {
  readonly #limits: LinkLimits;
  readonly #idle: { readonly link: Link; readonly shown: string }[] = [];
  readonly #used = new Map<Link, string>();
  #closed = false;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  /** Watches that are open. */
  get size(): number {
    return this.#used.size;
  }

  /**
   * @param nodes the server that has the keys
   * @param asking whether they are still on their way there
   * @throws ConnectError UNAVAILABLE and others
   */
  async open(
    nodes: Nodes,
    keys: readonly Argument[],
    context: CallContext,
    asking = false,
  ): Promise<Watch> {
    // Where the keys are may have been asked for a while.
    if (this.#closed) throw unavailable("the Redis backend is closed", 1_000);
    const shown = shownOf(nodes);
    const link = this.#kept(shown) ?? this.#newLink(nodes);
    this.#used.set(link, shown);
    try {
      const client = await link.ready(context);
      if (asking) sendAsking(client);
      const watched = told(link, ask(client, { args: ["WATCH", ...keys] }));
      await this.#untilEnd(link, context, watched);
      // Nobody would ever use it, or end it.
      context.signal.throwIfAborted();
      return this.#watch(link, client, keys, asking);
    } catch (error) {
      this.#drop(link);
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const link of [...this.#idle.map((one) => one.link), ...this.#used.keys()]) link.close();
    this.#idle.length = 0;
    this.#used.clear();
  }

  #watch(
    link: Link,
    client: ServerClient,
    [key = ""]: readonly Argument[],
    asking: boolean,
  ): Watch {
    return {
      transaction: async (commands, context) => {
        try {
          // A link that was lost watches nothing any more: nobody knows what has changed.
          if (!link.isReady) return undefined;
          // They may have come meanwhile: then it changes nothing.
          if (asking) sendAsking(client);
          const answer = told<readonly Reply[] | null>(link, client.transaction(commands));
          return (await this.#untilEnd(link, context, answer)) ?? undefined;
        } catch (error) {
          const moved = movedTo(error);
          if (moved === undefined) throw error;
          // It is for other keys, which were elsewhere all the time.
          if (moved.slot !== slotOfKey(key)) throw fromReply(crossSlot());
          // The keys went to another node: what became of them there, nobody watched.
          return undefined;
        } finally {
          this.#keep(link);
        }
      },
      [Symbol.asyncDispose]: async () => {
        if (!this.#used.has(link)) return;
        let ended = false;
        const sent = ask(client, { args: ["UNWATCH"] }).then(() => (ended = true));
        await atMost(this.#limits.connectTimeoutMs, sent);
        if (ended) this.#keep(link);
        else this.#drop(link);
      },
    };
  }

  /** Waits for an answer. Where the call ends before it comes, a server that hangs would keep the link: it is given up. */
  async #untilEnd<T>(link: Link, { signal }: CallContext, answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const ended = (): void => {
      timer = setTimeout(() => this.#drop(link), GRACE_MS);
    };
    if (signal.aborted) ended();
    signal.addEventListener("abort", ended);
    try {
      return await answer;
    } finally {
      signal.removeEventListener("abort", ended);
      clearTimeout(timer);
    }
  }

  /** Whether it is kept or in use, what it is for is lost with it: nobody tries to reach its server by it any more. */
  #newLink(nodes: Nodes): Link {
    const lost = (): void => {
      const place = this.#idle.findIndex((one) => one.link === link);
      if (place >= 0) this.#idle.splice(place, 1);
      link.close();
    };
    const link = linkTo(nodes, this.#limits, { lost });
    return link;
  }

  #kept(shown: string): Link | undefined {
    const place = this.#idle.findIndex((one) => one.shown === shown);
    return place < 0 ? undefined : this.#idle.splice(place, 1)[0]?.link;
  }

  #keep(link: Link): void {
    const shown = this.#used.get(link);
    if (shown === undefined) return;
    if (!link.isReady) return this.#drop(link);
    this.#used.delete(link);
    // The oldest makes room: its server may be gone.
    if (this.#idle.length >= MOST_IDLE) this.#idle.shift()?.link.close();
    this.#idle.push({ link, shown });
  }

  #drop(link: Link): void {
    this.#used.delete(link);
    link.close();
  }
}

/** Where a node says that the keys are, if that is why a call has failed. */
export function movedTo(error: unknown): Elsewhere | undefined {
  return error instanceof ConnectError ? elsewhere(error.cause) : undefined;
}

async function told<T>(link: Link, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ConnectError) throw error;
    throw isReplyError(error) ? fromReply(error) : link.lost(error);
  }
}
