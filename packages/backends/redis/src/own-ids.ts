import { randomBytes } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Now } from "./connection.ts";
import { tooMany } from "./redis-error.ts";

/** Things of one caller, by ids that nobody can guess: 128 random bits. They die with it. */
export class OwnIds<T extends object> implements AsyncDisposable {
  readonly #kind: string;
  readonly #most: number;
  readonly #things = new Map<string, T>();
  /** The one that was asked for last: most are asked for over and over, and a map takes ten times as long for text that was just read. */
  #last: T | undefined;
  #lastId = "";
  #opening = 0;
  #ended = false;

  /** @param kind for messages, such as `connection` */
  constructor(kind: string, most: number) {
    this.#kind = kind;
    this.#most = most;
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED */
  checkRoom(): void {
    if (this.#things.size + this.#opening >= this.#most) {
      const message = `${this.#most} ${this.#kind}s are open: close one, or use it again`;
      throw tooMany(message, 1_000);
    }
  }

  /**
   * Opens a thing, in a place that is kept for it meanwhile, and answers its id.
   *
   * @throws ConnectError RESOURCE_EXHAUSTED; CANCELLED as `add`; whatever `start` throws
   */
  open(start: () => Now<T>): Now<string> {
    this.checkRoom();
    this.#opening++;
    const add = (thing: T): string => {
      this.#opening--;
      return this.add(thing);
    };
    const fail = (error: unknown): never => {
      this.#opening--;
      throw error;
    };
    let opened: Now<T>;
    try {
      opened = start();
    } catch (error) {
      return fail(error);
    }
    return opened instanceof Promise ? opened.then(add, fail) : add(opened);
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED, and then it is closed; CANCELLED if the caller has ended meanwhile, and then it is closed */
  add(thing: T): string {
    if (this.#ended) {
      void close(thing);
      throw new ConnectError("the caller has ended", Code.Canceled);
    }
    try {
      this.checkRoom();
    } catch (error) {
      void close(thing);
      throw error;
    }
    const id = randomBytes(16).toString("base64url");
    this.#things.set(id, thing);
    return id;
  }

  /** @throws ConnectError NOT_FOUND */
  get(id: string): T {
    if (id === this.#lastId && this.#last !== undefined) return this.#last;
    const thing = this.#things.get(id);
    if (thing === undefined) throw this.#unknown();
    this.#lastId = id;
    return (this.#last = thing);
  }

  /** @throws ConnectError NOT_FOUND */
  take(id: string): T {
    const thing = this.get(id);
    this.#things.delete(id);
    this.#last = undefined;
    return thing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    const things = [...this.#things.values()];
    this.#things.clear();
    this.#last = undefined;
    await Promise.all(things.map(close));
  }

  #unknown(): ConnectError {
    return new ConnectError(
      `no such ${this.#kind}: open one, and use the id that it answers`,
      Code.NotFound,
    );
  }
}

async function close(thing: Partial<AsyncDisposable>): Promise<void> {
  await thing[Symbol.asyncDispose]?.();
}
