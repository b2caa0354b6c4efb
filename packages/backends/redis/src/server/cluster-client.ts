import { setTimeout as sleep } from "node:timers/promises";
import type { Argument, Command, Reply } from "../connection.ts";
import { ReplyError, tooLarge } from "../redis-error.ts";
import { bytes, list, sizeOf } from "../reply.ts";
import type { Address } from "./address.ts";
import type { Asked } from "./asked.ts";
import { backoff } from "./backoff.ts";
import {
  type ClientEvents,
  type Hear,
  type Moved,
  sendAsking,
  type ServerClient,
  typesOf,
} from "./client.ts";
import { type ClusterNode, ClusterNodes, NEVER, placeAt, SLOTS } from "./cluster-nodes.ts";
import { asWanted, type Join, type Part, routeOf, slotOfAll, slotOfKey } from "./cluster-route.ts";
import { askOnce } from "./connected.ts";
import { type Elsewhere, elsewhere } from "./elsewhere.ts";
import { firstAnswer } from "./first-answer.ts";
import { connectFound, type FoundClient } from "./following.ts";
import { Link, type LinkLimits } from "./link.ts";
import { astray, MOST_MOVES, nobody, untilAgreed } from "./redirects.ts";

/**
 * The same as `SocketClient` for the nodes of a cluster: each has one, and each command goes to the node that has its key.
 *
 * ```text
 *  GET a ─▶ slot 15495 ─▶ the link of its node          MOVED: nodes are asked who has what, and it goes to who has it now
 *  MGET a b ─▶ MGET a, MGET b ─▶ their nodes ─▶ joined  ASK: it goes to the other node, once
 *  SCAN ─▶ one node after the other                     PING, DBSIZE and others ─▶ all nodes ─▶ joined
 * ```
 *
 * What a command is to several nodes is the library's knowledge: see cluster-route.ts.
 */
export class ClusterClient implements ServerClient {
  readonly #limits: LinkLimits;
  readonly #events: ClientEvents;
  readonly #nodes: ClusterNodes;
  /** Hears what is said, by way of any node. */
  readonly #ear: Link;
  #heard: FoundClient | undefined;
  /** Where that is, and what looks now and then whether it is in the cluster still. */
  #earAt = "";
  #looks: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();
  #ready = false;

  /** @param seeds nodes to ask where the others are; user and TLS are those of the first */
  constructor(seeds: readonly Address[], limits: LinkLimits, events: ClientEvents) {
    this.#limits = limits;
    this.#events = events;
    this.#nodes = new ClusterNodes(seeds, limits, events.retryIn);
    const find = async (): Promise<Address> => {
      const found = await this.#findEar(seeds);
      this.#earAt = found.shown;
      return found;
    };
    this.#ear = new Link(
      seeds.map(({ shown }) => shown).join(","),
      (heard) => (this.#heard = connectFound(find, limits, heard)),
      limits,
      // It is all that was lost of the cluster, for those who listen.
      { returned: events.up, missed: () => events.missed?.() },
    );
    void this.#start();
  }

  get isReady(): boolean {
    return this.#ready && !this.#closing.signal.aborted;
  }

  get wasReady(): boolean {
    return this.#ready;
  }

  send(command: Command, asked: Asked, signal?: AbortSignal, more?: boolean): void {
    let route;
    try {
      route = routeOf(command.args);
    } catch (error) {
      // The library does not know how to divide it.
      return asked.failed(new ReplyError(`ERR ${String(error)}`));
    }
    const how: How = { ...(signal && { signal }), ...(more && { more }) };
    switch (route.to) {
      case "slot":
        return this.#toSlot(route.slot, command, asked, how);
      case "any":
        return this.#toNode(this.#nodes.any(), command, asked, how);
      case "scan":
        return this.#scan(command, asked, how);
      case "all": {
        const sends = this.#nodes.all.map((node): SendPart => (part, to) => {
          this.#toNode(node, part, to, how);
        });
        return this.#toSeveral(command, sends, route.join, asked);
      }
      case "several": {
        const sends = route.parts.map(({ slot, args }: Part): SendPart => (part, to) => {
          this.#toSlot(slot, { ...part, args }, to, how);
        });
        return this.#toSeveral(command, sends, route.join, asked);
      }
    }
  }

  async transaction(commands: readonly Command[]): Promise<readonly Reply[]> {
    const slot = slotOfAll(commands);
    if (slot === undefined) return [];
    let node = this.#nodes.ofSlot(slot);
    let asking = false;
    for (let moves = 0; ; moves++) {
      const client = await this.#clientOf(node);
      try {
        // It holds for all of the transaction, which is sent in the same turn.
        if (asking) sendAsking(client);
        return await client.transaction(commands);
      } catch (error) {
        // Then it was not done.
        const other = elsewhere(error);
        if (other === undefined) throw error;
        if (moves === MOST_MOVES) throw astray(error);
        node = await this.#find(other, node, moves).catch(() => undefined);
        if (node === undefined) throw astray(error);
        asking = other.asking;
      }
    }
  }

  async placeOf(key: Argument, moved?: Moved): Promise<Address> {
    if (moved !== undefined) {
      const { to, from, moves } = moved;
      await untilAgreed(moves, this.#limits.outageWaitMs, this.#closing.signal);
      // Others may not know it yet.
      if (!to.asking) await this.#nodes.look(this.#nodes.at(from)).catch(() => {});
      return placeAt(to, from);
    }
    const node = this.#nodes.ofSlot(slotOfKey(key));
    if (node === undefined) throw nobody();
    // Its link asks the others who has its slots, if it is gone. Nobody else would.
    await this.#clientOf(node);
    return node.address;
  }

  async listen(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void> {
    const client = await this.#ear.ready({ signal: NEVER });
    this.#closing.signal.throwIfAborted();
    this.#looks ??= setInterval(() => void this.#lookAtEar(), this.#limits.stallTimeoutMs);
    await client.listen(kind, name, hear);
  }

  async unlisten(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void> {
    await this.#heard?.unlisten(kind, name, hear);
  }

  destroy(): void {
    this.#closing.abort();
    clearInterval(this.#looks);
    this.#ear.close();
    this.#nodes.close();
  }

  /** Asks who has what until somebody knows. */
  async #start(): Promise<void> {
    for (let tries = 0; !this.#closing.signal.aborted; tries++) {
      try {
        await this.#nodes.look();
        if (this.#closing.signal.aborted) return;
        this.#ready = true;
        return this.#events.up();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        const ms = backoff(tries);
        this.#events.retryIn(ms);
        this.#events.down(error instanceof Error ? error : new Error(String(error)));
        await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
  }

  #toSlot(slot: number, command: Command, asked: Asked, how: How): void {
    this.#toNode(this.#nodes.ofSlot(slot), command, asked, how);
  }

  /** To a node, and from there to wherever it says. */
  #toNode(
    node: ClusterNode | undefined,
    command: Command,
    asked: Asked,
    how: How,
    moves = 0,
    asking = false,
  ): void {
    if (node === undefined) return asked.failed(nobody());
    const follow: Asked = {
      answered: (reply) => asked.answered(reply),
      failed: (error) => {
        const other = elsewhere(error);
        if (other === undefined) return asked.failed(error);
        if (moves === MOST_MOVES) return asked.failed(astray(error));
        const next = this.#find(other, node, moves);
        void this.#toNext(next, error, { command, asked, how, moves, asking: other.asking });
      },
    };
    const send = (client: ServerClient): void => {
      // What is sent in one turn stays together.
      if (asking) sendAsking(client);
      client.send(command, follow, how.signal, how.more === true || asking);
    };
    try {
      const client = node.link.ready({ signal: how.signal ?? NEVER });
      if (!(client instanceof Promise)) return send(client);
      client.then(send, (error: unknown) => asked.failed(error));
    } catch (error) {
      asked.failed(error);
    }
  }

  async #toNext(
    found: Promise<ClusterNode | undefined>,
    moved: unknown,
    { command, asked, how, moves, asking }: Moving,
  ): Promise<void> {
    const next = await found.catch(() => {});
    if (next === undefined) asked.failed(astray(moved));
    else this.#toNode(next, command, asked, how, moves + 1, asking);
  }

  #toSeveral(command: Command, sends: readonly SendPart[], join: Join, asked: Asked): void {
    const { maxReplyBytes: most } = this.#limits;
    const part: Command = join.counts ? { args: command.args } : command;
    let size = 0;
    const replies = sends.map(
      async (send) =>
        new Promise<Reply>((resolve, reject) => {
          const answered = (reply: Reply): void => {
            size += sizeOf(reply);
            if (size > most) reject(tooLarge(size, most));
            else resolve(reply);
          };
          send(part, { answered, failed: reject });
        }),
    );
    join.replies(replies).then(
      (reply) => asked.answered(join.counts ? asWanted(reply, typesOf(command)) : reply),
      (error: unknown) => asked.failed(error),
    );
  }

  /**
   * One page of one node. The cursor says which: its lower 14 bits are a slot of the node, the others are what the node
   * answered. So nothing is kept, and after a failover the scan goes on.
   */
  #scan(command: Command, asked: Asked, how: How): void {
    const [name = "", cursor = "", ...rest] = command.args;
    const text = String(cursor);
    const given = /^\d{1,20}$/.test(text) ? BigInt(text) : U64;
    if (given >= U64) return asked.failed(new ReplyError("ERR invalid cursor"));
    const first = this.#nodes.firstAfter(-1) ?? 0;
    const slot = given === 0n ? first : Number(given % SLOT_COUNT);
    const args = [name, String(given / SLOT_COUNT), ...rest];
    const answered = (reply: Reply): void => {
      try {
        const [said, found = null] = list(reply);
        const next = BigInt(Buffer.from(bytes(said)).toString());
        const after = next > 0n ? slot : this.#nodes.firstAfter(slot);
        const shown = after === undefined ? 0n : next * SLOT_COUNT + BigInt(after);
        asked.answered([Buffer.from(String(shown)), found]);
      } catch (error) {
        asked.failed(error);
      }
    };
    const failed = (error: unknown): void => asked.failed(error);
    this.#toSlot(slot, { ...command, args }, { answered, failed }, how);
  }

  async #clientOf(node: ClusterNode | undefined): Promise<ServerClient> {
    if (node === undefined) throw nobody();
    return node.link.ready({ signal: NEVER });
  }

  /** @param from who says that it is elsewhere */
  async #find(
    other: Elsewhere,
    from: ClusterNode | undefined,
    moves: number,
  ): Promise<ClusterNode | undefined> {
    await untilAgreed(moves, this.#limits.outageWaitMs, this.#closing.signal);
    if (other.asking) return from && this.#nodes.importing(other, from.address);
    await this.#nodes.look(from);
    return this.#nodes.ofSlot(other.slot);
  }

  /**
   * A node that has left the cluster goes on running, and hears nothing that is said there. One that has no slots any more,
   * such as a master that became a replica, hears all of it.
   */
  async #lookAtEar(): Promise<void> {
    await this.#nodes.look().catch(() => {});
    if (this.#nodes.all.some(({ address }) => address.shown === this.#earAt)) return;
    if (await this.#nodes.isMember(this.#earAt).catch(() => false)) return;
    this.#heard?.look();
  }

  /** A node that answers. */
  async #findEar(seeds: readonly Address[]): Promise<Address> {
    const all = this.#nodes.all.map(({ address }) => address);
    // Hosts with the same cluster should not all listen to the same node.
    const start = Math.floor(Math.random() * all.length);
    const asks = [...all.slice(start), ...all.slice(0, start), ...seeds].map(
      (address) => async () => {
        await askOnce(address, PING, this.#limits, this.#closing.signal);
        return address;
      },
    );
    return firstAnswer(asks, this.#limits.connectTimeoutMs);
  }
}

const PING: Command = { args: ["PING"] };
const SLOT_COUNT = BigInt(SLOTS);
const U64 = 2n ** 64n;

interface How {
  readonly signal?: AbortSignal;
  readonly more?: boolean;
}

/** What goes on to another node. */
interface Moving {
  readonly command: Command;
  readonly asked: Asked;
  readonly how: How;
  readonly moves: number;
  readonly asking: boolean;
}

type SendPart = (part: Command, asked: Asked) => void;
