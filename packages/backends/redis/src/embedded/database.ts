import type { Clock } from "@dropthrough/dispatch";
import { ReplyError } from "../redis-error.ts";
import type { SortedSet } from "./sorted-set.ts";

/** What a key can hold, by the name that Redis has for it. */
export interface Types {
  readonly string: string;
  readonly hash: Map<string, string>;
  readonly list: string[];
  readonly set: Set<string>;
  readonly zset: SortedSet;
}

interface Entry<T extends keyof Types = keyof Types> {
  readonly type: T;
  readonly value: Types[T];
  /** Milliseconds since 1970; undefined for never. */
  expiresAt: number | undefined;
}

/** Keys, what they hold, and until when. */
export class Database {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;
  /** What to add to the clock, which starts anywhere, to get milliseconds since 1970. */
  readonly #epoch: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#epoch = Date.now() - clock.now();
  }

  /** Keys, with those that have expired and that nobody has touched since. */
  get size(): number {
    return this.#entries.size;
  }

  /** Milliseconds since 1970, by the clock. */
  now(): number {
    return this.#clock.now() + this.#epoch;
  }

  has(key: string): boolean {
    return this.#live(key) !== undefined;
  }

  typeOf(key: string): keyof Types | undefined {
    return this.#live(key)?.type;
  }

  /** @throws ReplyError WRONGTYPE */
  get<T extends keyof Types>(key: string, type: T): Types[T] | undefined {
    const entry = this.#live(key);
    if (entry === undefined) return undefined;
    if (entry.type !== type) throw wrongType();
    return entry.value as Types[T];
  }

  /**
   * What a key holds; made by `make` if it is absent.
   *
   * @throws ReplyError WRONGTYPE
   */
  grow<T extends keyof Types>(key: string, type: T, make: () => Types[T]): Types[T] {
    const there = this.get(key, type);
    if (there !== undefined) return there;
    const value = make();
    this.#entries.set(key, { type, value, expiresAt: undefined });
    return value;
  }

  /** Replaces what a key holds. It expires as before if `keepExpiry` is true, or else never. */
  set<T extends keyof Types>(key: string, type: T, value: Types[T], keepExpiry = false): void {
    const expiresAt = keepExpiry ? this.#live(key)?.expiresAt : undefined;
    this.#entries.set(key, { type, value, expiresAt });
  }

  /** Forgets a collection that has become empty: Redis has none. */
  shrink(key: string, size: number): void {
    if (size === 0) this.#entries.delete(key);
  }

  /** True if it was there. */
  delete(key: string): boolean {
    const there = this.has(key);
    this.#entries.delete(key);
    return there;
  }

  /** When a key that is there expires; undefined for never. */
  expiry(key: string): number | undefined {
    return this.#live(key)?.expiresAt;
  }

  /** Sets when a key that is there expires; at once, if that is past. */
  expire(key: string, at: number | undefined): void {
    const entry = this.#live(key);
    if (entry === undefined) return;
    entry.expiresAt = at;
    this.#live(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry?.expiresAt === undefined || entry.expiresAt > this.now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}

function wrongType(): ReplyError {
  return new ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value");
}
