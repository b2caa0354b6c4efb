import type { Command, Reply } from "../connection.ts";
import { bytes, integer, list } from "../reply.ts";
import type { Address } from "./address.ts";
import { isMember } from "./cluster-members.ts";
import { askInTime, askOnce } from "./connected.ts";
import type { Elsewhere } from "./elsewhere.ts";
import { firstAnswer } from "./first-answer.ts";
import { Link, type LinkLimits } from "./link.ts";
import { SocketClient } from "./socket-client.ts";

export const SLOTS = 16_384;

/** One server of a cluster that has slots. */
export interface ClusterNode {
  readonly address: Address;
  readonly link: Link;
}

/** So many nodes without slots may have keys on their way to them. */
const MOST_IMPORTING = 16;

/** Slots of one node. */
interface Range {
  readonly first: number;
  readonly last: number;
  readonly address: Address;
}

const SLOTS_QUESTION: Command = { args: ["CLUSTER", "SLOTS"] };
const NODES_QUESTION: Command = { args: ["CLUSTER", "NODES"] };

/** Who has which slot of a cluster, and a link to each of them, which connects when it is first used. */
export class ClusterNodes {
  readonly #seeds: readonly Address[];
  readonly #limits: LinkLimits;
  readonly #retryIn: (ms: number) => void;
  readonly #known = new Map<string, ClusterNode>();
  /** No longer in the cluster. What is under way to them is still answered; they are closed at the next look. */
  #left: ClusterNode[] = [];
  #slots: (ClusterNode | undefined)[] = [];
  /** Those without slots that others sent to for keys on their way there, and which were asked since the last look. */
  readonly #importing = new Map<string, ClusterNode>();
  readonly #used = new Set<string>();
  /** By their first slots. */
  #masters: { readonly first: number; readonly node: ClusterNode }[] = [];
  #looking: Promise<void> | undefined;
  #turn = 0;
  readonly #closing = new AbortController();

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

  at({ shown }: Address): ClusterNode | undefined {
    return this.#known.get(shown);
  }

  /** The node that another one sends to for keys that are on their way there. Undefined if there are too many. */
  importing(place: Elsewhere, from: Address): ClusterNode | undefined {
    const address = placeAt(place, from);
    const { shown } = address;
    const known = this.#known.get(shown) ?? this.#importing.get(shown);
    if (known === undefined && this.#importing.size >= MOST_IMPORTING) {
      // It forgets those that nobody asks any more.
      this.look().catch(() => {});
      return undefined;
    }
    const node = known ?? this.#node(address);
    if (!this.#known.has(shown)) this.#importing.set(shown, node);
    this.#used.add(shown);
    return node;
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

  /**
   * Asks whether a node is in the cluster, with slots or without.
   *
   * @throws Error if nobody else answers
   */
  async isMember(shown: string): Promise<boolean> {
    return this.#ask(NODES_QUESTION, (reply) =>
      isMember(Buffer.from(bytes(reply)).toString(), shown),
    );
  }

  close(): void {
    this.#closing.abort();
    const all = [...this.#known.values(), ...this.#importing.values(), ...this.#left];
    for (const { link } of all) link.close();
    this.#known.clear();
    this.#importing.clear();
    this.#left = this.#slots = this.#masters = [];
  }

  async #look(first: ClusterNode | undefined): Promise<void> {
    this.#learn(await this.#ask(SLOTS_QUESTION, (reply, asked) => this.#read(reply, asked), first));
  }

  /** Asks those that are connected, then the seeds. The first answer that can be read counts. */
  async #ask<T>(
    question: Command,
    read: (reply: Reply, asked: Address) => T,
    first?: ClusterNode,
  ): Promise<T> {
    const known = new Set([...(first ? [first] : []), ...this.all]);
    const asks = [...known]
      .filter(({ link }) => link.isReady)
      .map(({ address, link }) => async () => {
        const client = await link.ready({ signal: NEVER });
        return read(await askInTime(client, question, this.#limits), address);
      });
    const seeds = this.#seeds.map((address) => async () => {
      const { signal } = this.#closing;
      return read(await askOnce(address, question, this.#limits, signal), address);
    });
    return firstAnswer([...asks, ...seeds], this.#limits.connectTimeoutMs);
  }

  /** @param asked who says so: a node that does not know its own name has the same */
  #read(reply: Reply, asked: Address): Range[] {
    let named = 0;
    const ranges = list(reply).map((range): Range => {
      const [from, to, master] = list(range);
      const [first, last] = [slotOf(from), slotOf(to)];
      named += Math.max(1, last - first + 1);
      if (named > SLOTS)
        throw new Error("a node of the cluster speaks of more slots than there are");
      return { first, last, address: addressOf(list(master), this.#seeds[0] ?? asked, asked) };
    });
    if (ranges.length === 0) throw new Error("no node has any slots");
    return ranges;
  }

  #learn(ranges: readonly Range[]): void {
    if (this.#closing.signal.aborted) return;
    const slots: (ClusterNode | undefined)[] = [];
    const found = new Map<string, ClusterNode>();
    for (const { first, last, address } of ranges) {
      const node = found.get(address.shown) ?? this.#node(address);
      found.set(address.shown, node);
      for (let slot = first; slot <= last; slot++) slots[slot] = node;
    }
    for (const { link } of this.#left) link.close();
    for (const shown of this.#importing.keys()) {
      if (found.has(shown)) this.#importing.delete(shown);
    }
    const unused = [...this.#importing.values()].filter(
      ({ address }) => !this.#used.has(address.shown),
    );
    this.#left = [...this.#known.values()].filter(({ address }) => !found.has(address.shown));
    for (const node of unused) {
      this.#importing.delete(node.address.shown);
      this.#left.push(node);
    }
    this.#used.clear();
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
    const known = this.#known.get(address.shown) ?? this.#importing.get(address.shown);
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

/** Where a node says that something is. */
export function placeAt({ host, port }: Elsewhere, from: Address): Address {
  return addressAt(host, port, from, from);
}

function addressOf([host, port]: readonly Reply[], seed: Address, asked: Address): Address {
  const said = host instanceof Uint8Array ? Buffer.from(host).toString() : "";
  return addressAt(said, Number(integer(port)), seed, asked);
}

/** @param asked who says so, and has the same name if it does not know its own */
function addressAt(said: string, port: number, like: Address, asked: Address): Address {
  const host = said === "" || said === "?" ? (asked.host ?? "") : said;
  return { ...like, host, port, shown: `${host}:${port}` };
}

function slotOf(reply: Reply | undefined): number {
  const slot = Number(integer(reply));
  if (slot >= 0 && slot < SLOTS) return slot;
  throw new Error(`a node of the cluster speaks of the slot ${slot}`);
}
