import type { Argument, Reply, Watch } from "../connection.ts";
import { fromReply } from "../redis-error.ts";
import type { Nodes } from "./address.ts";
import { isReplyError, type ServerClient } from "./client.ts";
import { Link, type LinkLimits } from "./link.ts";

/** Links that are kept for the next watch. */
const MOST_IDLE = 4;

/** Links that each belong to one watch: what WATCH says is said of a whole connection. */
export class WatchPool {
  readonly #nodes: Nodes;
  readonly #limits: LinkLimits;
  readonly #idle: Link[] = [];
  readonly #used = new Set<Link>();

  constructor(nodes: Nodes, limits: LinkLimits) {
    this.#nodes = nodes;
    this.#limits = limits;
  }

  /** Watches that are open. */
  get size(): number {
    return this.#used.size;
  }

  /** @throws ConnectError UNAVAILABLE and others */
  async open(keys: readonly Argument[], signal: AbortSignal): Promise<Watch> {
    const link = this.#idle.pop() ?? new Link(this.#nodes, this.#limits);
    this.#used.add(link);
    try {
      const client = await link.ready(signal);
      const { reconnects } = link;
      await ask(link, client.send({ args: ["WATCH", ...keys] }));
      return this.#watch(link, client, reconnects);
    } catch (error) {
      this.#drop(link);
      throw error;
    }
  }

  close(): void {
    for (const link of [...this.#idle, ...this.#used]) link.close();
    this.#idle.length = 0;
    this.#used.clear();
  }

  #watch(link: Link, client: ServerClient, reconnects: number): Watch {
    return {
      transaction: async (commands) => {
        try {
          // A link that was lost meanwhile watches nothing any more: nobody knows what has changed.
          if (link.reconnects !== reconnects || !link.isReady) return undefined;
          const replies = await ask<readonly Reply[] | null>(link, client.transaction(commands));
          return replies ?? undefined;
        } finally {
          this.#keep(link);
        }
      },
      [Symbol.asyncDispose]: async () => {
        if (!this.#used.has(link)) return;
        await client.send({ args: ["UNWATCH"] }).catch(() => this.#drop(link));
        this.#keep(link);
      },
    };
  }

  #keep(link: Link): void {
    if (!this.#used.has(link)) return;
    if (!link.isReady || this.#idle.length >= MOST_IDLE) return this.#drop(link);
    this.#used.delete(link);
    this.#idle.push(link);
  }

  #drop(link: Link): void {
    this.#used.delete(link);
    link.close();
  }
}

async function ask<T>(link: Link, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw isReplyError(error) ? fromReply(error) : link.lost(error);
  }
}
