import type { Reply } from "../connection.ts";
import { integer, list } from "../reply.ts";
import type { Address } from "./address.ts";
import { askInTime, askOnce } from "./connected.ts";
import { Link, type LinkLimits } from "./link.ts";
import { SocketClient } from "./socket-client.ts";

export const SLOTS = 16_384;

/** One server of a cluster that has slots. */
export interface ClusterNode {
  readonly address: Address;
  readonly link: Link;
}

const QUESTION = { args: ["CLUSTER", "SLOTS"] };

/** Who has which slot of a cluster, and a link to each of them, which connects when it is first used. */
export class ClusterNodes {
  readonly #seeds: readonly Address[];
  readonly #limits: LinkLimits;
  readonly #retryIn: (ms: number) => void;
  readonly #known = new Map<string, ClusterNode>();
  /** No longer in the cluster. What is under way to them is still answered; they are closed at the next look. */
  #left: ClusterNode[] = [];
  #slots: (ClusterNode | undefined)[] = [];
  /** By their first slots. */
  #masters: { readonly first: number; readonly node: ClusterNode }[] = [];
  #looking: Promise<void> | undefined;
  #turn = 0;

  /** @param seeds servers to ask when nothing is known; user and TLS are those of the first */
  constructor(seeds: readonly Address[], limits: LinkLimits, retryIn: (ms: number) => void) {
    this.#seeds = seeds;
    this.#limits = limits;
    this.#retryIn = retryIn;
  }

  get all(): readonly ClusterNode[] {
    return this.#masters.map(({ node }) => node);
  }

  ofSlot(slot: number): ClusterNode | undefined {
    return this.#slots[slot];
  }

  at(shown: string): ClusterNode | undefined {
    return this.#known.get(shown);
  }

  /** One after the other, those first that are connected. */
  any(): ClusterNode | undefined {
    const all = this.all;
    const ready = all.filter(({ link }) => link.isReady);
    const choice = ready.length > 0 ? ready : all;
    return choice[this.#turn++ % choice.length];
  }

  /** The first slot above another one that is the first of a node. */
  firstAfter(slot: number): number | undefined {
    return this.#masters.find(({ first }) => first > slot)?.first;
  }

  /**
   * Asks who has what now. Those that ask at the same time share the answer.
   *
   * @param first who is asked before all others
   * @throws Error if nobody answers
   */
  async look(first?: ClusterNode): Promise<void> {
    this.#looking ??= this.#look(first).finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  close(): void {
    for (const { link } of [...this.#known.values(), ...this.#left]) link.close();
    this.#known.clear();
    this.#left = this.#slots = this.#masters = [];
  }

  async #look(first: ClusterNode | undefined): Promise<void> {
    let failure: unknown = new Error("no node is named");
    const known = [...(first ? [first] : []), ...this.all].filter(({ link }) => link.isReady);
    for (const { address, link } of known) {
      try {
        const client = await link.ready({ signal: NEVER });
        return this.#learn(await askInTime(client, QUESTION, this.#limits), address);
      } catch (error) {
        failure = error;
      }
    }
    for (const seed of this.#seeds) {
      try {
        return this.#learn(await askOnce(seed, QUESTION, this.#limits), seed);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** @param asked who says so: a node that does not know its own name has the same */
  #learn(reply: Reply, asked: Address): void {
    const slots: (ClusterNode | undefined)[] = [];
    const found = new Map<string, ClusterNode>();
    for (const range of list(reply)) {
      const [from, to, master] = list(range);
      const node = this.#node(addressOf(list(master), this.#seeds[0] ?? asked, asked));
      found.set(node.address.shown, node);
      const last = slotOf(to);
      for (let slot = slotOf(from); slot <= last; slot++) slots[slot] = node;
    }
    if (found.size === 0) throw new Error("no node has any slots");
    for (const { link } of this.#left) link.close();
    this.#left = [...this.#known.values()].filter(({ address }) => !found.has(address.shown));
    this.#known.clear();
    this.#masters = [];
    for (const [shown, node] of found) {
      this.#known.set(shown, node);
      this.#masters.push({ first: slots.indexOf(node), node });
    }
    this.#masters.sort((a, b) => a.first - b.first);
    this.#slots = slots;
  }

  #node(address: Address): ClusterNode {
    const known = this.#known.get(address.shown);
    if (known !== undefined) return known;
    const link = new Link(
      address.shown,
      (events) =>
        new SocketClient(address, this.#limits, {
          up: () => events.up(),
          down: (cause) => {
            events.down(cause);
            // Another one may have its slots by now. If nobody knows, the next try to connect asks again.
            this.look().catch(() => {});
          },
          retryIn: (ms) => {
            events.retryIn(ms);
            this.#retryIn(ms);
          },
        }),
      this.#limits,
    );
    return { address, link };
  }
}

/** For what no call waits for. */
export const NEVER: AbortSignal = new AbortController().signal;

function addressOf([host, port]: readonly Reply[], seed: Address, asked: Address): Address {
  const said = host instanceof Uint8Array ? Buffer.from(host).toString() : "";
  const name = said === "" || said === "?" ? (asked.host ?? "") : said;
  const number = Number(integer(port));
  return { ...seed, host: name, port: number, shown: `${name}:${number}` };
}

function slotOf(reply: Reply | undefined): number {
  const slot = Number(integer(reply));
  if (slot >= 0 && slot < SLOTS) return slot;
  throw new Error(`a node of the cluster speaks of the slot ${slot}`);
}
