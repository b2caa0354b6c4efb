import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import type Queues from "@redis/client/dist/lib/client/commands-queue.js";
import type Sockets from "@redis/client/dist/lib/client/socket.js";
import type { Argument, Command, Reply } from "../connection.ts";
import { tooLarge } from "../redis-error.ts";
import type { Address } from "./address.ts";
import type { Asked } from "./asked.ts";
import { backoff, MOST_MS } from "./backoff.ts";
import {
  ask,
  type ClientEvents,
  type ClientLimits,
  type Hear,
  sendTransaction,
  type ServerClient,
  socketOptions,
} from "./client.ts";
import { inTime } from "./in-time.ts";
import { ReplyMeter, type ReplyReader } from "./reply-meter.ts";
import { SentCommand } from "./sent-command.ts";
import { Silence } from "./silence.ts";
import { Turns } from "./turns.ts";

// CommonJS, whose default export is something else to each loader.
const require = createRequire(import.meta.url);
const queues = require("@redis/client/dist/lib/client/commands-queue.js") as typeof Queues;
const sockets = require("@redis/client/dist/lib/client/socket.js") as typeof Sockets;

/** So much text is written in one piece, about. */
const PIECE = 65_536;
/** So many commands are written together at most: the server answers them while the rest of a turn is made. */
const TOGETHER = 256;

/**
 * A connection to one server, which comes back by itself: the socket and the queue of the client library, without the
 * client that it builds on them. See docs/RATIONALE.md: Why node-redis, and why only its lower layer?
 *
 * ```text
 *  send ─▶ queue ─▶ one write: at once, or with all others of this turn of the event loop ─▶ socket
 *  reply ◀─ queue ◀─ decoder ◀─ ReplyMeter ◀─────────────────────────────────────────────── socket
 * ```
 *
 * Nothing is kept for later: what cannot be sent, or was under way when the connection was lost, fails, and what was
 * listened to has to be asked for again. A server that owes an answer, and says nothing for long, counts as lost; while
 * channels are heard, it is asked for one now and then.
 */
export class SocketClient implements ServerClient, ReplyReader {
  readonly #address: Address;
  readonly #limits: ClientLimits;
  readonly #events: ClientEvents;
  readonly #queue: Queues.default;
  readonly #socket: Sockets.default;
  readonly #silence: Silence;
  /** The library knows who listens to a channel once the server has said so: until then nobody else begins or stops. */
  readonly #turns = new Turns();
  #meter: ReplyMeter;
  #wasReady = false;
  /** Ends what is still connecting, too. */
  readonly #closing = new AbortController();
  /** How often it was tried in vain to connect since it last was. */
  #tries = 0;
  /** How often the server hung, or said what is no reply, since it last was well for a while; since when this connection is up. */
  #broken = 0;
  #upSince = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #pings: NodeJS.Timeout | undefined;
  #scheduled = false;
  /** What goes to the queue with the next write, and how many the last one had. */
  #unsent: SentCommand[] = [];
  #shared = 1;

  /** Makes it and lets it connect, and come back after an outage, for as long as it takes. */
  constructor(address: Address, limits: ClientLimits, events: ClientEvents) {
    this.#address = address;
    this.#limits = limits;
    this.#events = events;
    const id = randomUUID();
    this.#queue = new queues.default(3, null, () => {}, id);
    const options = {
      ...socketOptions(address, limits.connectTimeoutMs),
      // The library would let it come up, and leave it so.
      signal: this.#closing.signal,
      // The library would wait for the next try, too.
      reconnectStrategy: false as const,
    };
    this.#socket = new sockets.default(() => this.#greet(), id, options);
    this.#silence = new Silence(
      limits.stallTimeoutMs,
      () => this.#socket.isReady && this.#queue.pendingCount > 0,
      (ms) => this.#giveUp(new Error(`no answer for ${Math.round(ms)} ms`)),
    );
    this.#meter = this.#newMeter();
    this.#socket.on("connect", () => {
      this.#meter = this.#newMeter();
      this.#upSince = Infinity;
    });
    this.#socket.on("ready", () => {
      this.#wasReady = true;
      this.#tries = 0;
      this.#upSince = performance.now();
      events.up();
    });
    this.#socket.on("data", (chunk: Buffer) => this.#hear(chunk));
    this.#socket.on("drain", () => this.#write());
    this.#socket.on("error", (cause: Error) => this.#retry(cause, this.#tries++));
    this.#connect();
  }

  get isReady(): boolean {
    return this.#socket.isReady;
  }

  get wasReady(): boolean {
    return this.#wasReady;
  }

  send(command: Command, asked: Asked, signal?: AbortSignal, more = false): void {
    if (!this.#socket.isReady) return asked.failed(offline());
    const count = this.#unsent.push(new SentCommand(command, asked, signal));
    // Where one call comes after the other there is nobody to wait for, and the server works while the rest is done.
    if (count === TOGETHER) this.#write();
    else if (more || count > 1 || this.#shared > 1 || this.#queue.pendingCount > 0)
      this.#writeSoon();
    else this.#write();
  }

  transaction(commands: readonly Command[]): Promise<readonly Reply[]> {
    return sendTransaction(async (command) => ask(this, command, true), commands);
  }

  async listen(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void> {
    return this.#turns.take(`${kind} ${name}`, async () => {
      if (!this.isReady) throw offline();
      const known = this.#queue.subscribe(TYPES[kind], name, hear, true);
      this.#writeSoon();
      this.#pings ??= setInterval(() => this.#ping(), this.#limits.stallTimeoutMs);
      await known;
    });
  }

  async unlisten(kind: "channel" | "pattern", name: string, hear: Hear): Promise<void> {
    return this.#turns.take(`${kind} ${name}`, async () => {
      if (!this.isReady) return;
      const known = this.#queue.unsubscribe(TYPES[kind], name, hear, true);
      this.#writeSoon();
      // If the connection is lost meanwhile, nobody asks the next one for it.
      await known?.catch(() => {});
    });
  }

  destroy(): void {
    if (this.#closing.signal.aborted) return;
    clearTimeout(this.#timer);
    clearInterval(this.#pings);
    this.#silence.end();
    this.#socket.destroy();
    this.#closing.abort();
    this.#fail(new Error("the connection was closed"));
  }

  write(bytes: Buffer): void {
    this.#queue.decoder.write(bytes);
  }

  reset(): void {
    this.#queue.decoder.reset();
  }

  tooLarge(bytes: number): void {
    this.#queue.decoder.onErrorReply(tooLarge(bytes, this.#limits.maxReplyBytes));
  }

  missed(): void {
    this.#events.missed?.();
  }

  /** Who only listens asks for nothing, and would not notice that the server hangs. */
  #ping(): void {
    if (!this.#socket.isReady) return;
    if (this.#queue.isPubSubActive) return this.send(PING, NOBODY);
    clearInterval(this.#pings);
    this.#pings = undefined;
  }

  #newMeter(): ReplyMeter {
    return new ReplyMeter(this, this.#limits.maxReplyBytes);
  }

  #connect(): void {
    // Whether it comes up is told by the events.
    this.#socket.connect().catch(() => {});
  }

  /** Whatever is under way fails, and nothing is listened to any more. */
  #fail(cause: Error): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    this.#queue.flushAll(cause);
    this.#queue.removeAllPubSubListeners();
    for (const command of unsent) command.reject(cause);
  }

  #writeSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#write();
    });
  }

  /** What is left when the socket has no room goes when it has: it says so with `drain`. */
  #write(): void {
    if (this.#queue.isWaitingToWrite()) this.#writeQueue();
    // They would come before what is left in the queue.
    if (this.#unsent.length === 0 || this.#queue.isWaitingToWrite()) return;
    this.#shared = this.#unsent.length;
    this.#queue.prependCommandsToWrite(this.#unsent);
    this.#unsent = [];
    this.#writeQueue();
  }

  #writeQueue(): void {
    this.#silence.begin();
    this.#socket.write(piecesOf(this.#queue.commandsToWrite()));
  }

  /**
   * Says who we are, and asks whether it is there for us: one that still reads its data after a start would refuse every command.
   * What is put first last is said first.
   */
  #greet(): Promise<unknown> {
    this.#closing.signal.throwIfAborted();
    const { username, password, database } = this.#address;
    const first = { asap: true };
    const ping = this.#queue.addCommand([...PING.args], first);
    const said: Promise<unknown>[] = [ping.catch(throwIfLoading)];
    if (database !== 0) {
      said.push(this.#queue.addCommand(["SELECT", String(database)], first));
    }
    const hello = ["HELLO", "3"];
    if (username !== undefined || password !== undefined) {
      hello.push("AUTH", username ?? "default", password ?? "");
    }
    said.push(this.#queue.addCommand(hello, first));
    this.#write();
    // One that is connected may still hang: nobody would know.
    return inTime(this.#limits.connectTimeoutMs, Promise.all(said));
  }

  #hear(chunk: Buffer): void {
    this.#silence.broken();
    try {
      this.#meter.write(chunk);
    } catch (error) {
      // Whatever it is, nobody knows any more which reply is whose.
      this.#giveUp(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Gives up the connection, and makes another one. */
  #giveUp(cause: Error): void {
    this.#socket.destroy();
    // So it is tried no more often than with the longest wait.
    if (performance.now() - this.#upSince > MOST_MS) this.#broken = 0;
    this.#retry(cause, this.#broken++);
  }

  /** The connection is lost, or did not come up: whatever is under way fails, and it is tried again in a while. */
  #retry(cause: Error, tries: number): void {
    if (this.#closing.signal.aborted) return;
    const ms = backoff(tries);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), ms);
    this.#events.retryIn(ms);
    this.#events.down(cause);
    this.#fail(cause);
  }
}

const PING: Command = { args: ["PING"] };
const NOBODY: Asked = { answered() {}, failed() {} };

const TYPES = { channel: "CHANNELS", pattern: "PATTERNS" } as const;

/** An outage like any other, not an answer. What else it says to a PING, such as that we may not, it says to each command by itself. */
function throwIfLoading(said: unknown): void {
  if (said instanceof Error && said.message.startsWith("LOADING "))
    throw new Error(said.message, { cause: said });
}

function offline(): Error {
  return new Error("there is no connection");
}

/** Text of neighbours as one piece, up to a size; bytes as they are. What is taken from the queue is passed on at once. */
function* piecesOf(
  commands: Iterable<readonly Argument[]>,
): Generator<readonly Argument[], void, unknown> {
  let text = "";
  for (const words of commands) {
    const [only] = words;
    if (words.length === 1 && typeof only === "string") {
      text += only;
      if (text.length < PIECE) continue;
      yield [text];
    } else {
      yield [text, ...words];
    }
    text = "";
  }
  if (text !== "") yield [text];
}
