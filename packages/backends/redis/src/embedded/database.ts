import type { Clock } from "@dropthrough/dispatch";
import { ReplyError } from "../redis-error.ts";
import { count, ITEM_BYTES, measure } from "./memory.ts";
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
  /** About how many bytes it takes, with its key; what that was when it was last measured, and the items it had then. */
  bytes: number;
  measured: number;
  items: number;
}

/**
 * Keys, what they hold, and until when. Reading is `get`. Whoever changes a collection takes it from `grow`, or calls
 * `shrink` afterwards: so each change of a key is seen here.
 */
export class Database {
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<(key: string) => void>();
  readonly #clock: Clock;
  #bytes = 0;
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

  /** About how many bytes all of it takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Milliseconds since 1970, by the clock. */
  now(): number {
    return this.#clock.now() + this.#epoch;
  }

  /** Every key that has not expired. */
  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.has(key));
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
   * What a key holds, to be changed; made by `make` if it is absent.
   *
   * @throws ReplyError WRONGTYPE
   */
  grow<T extends keyof Types>(key: string, type: T, make: () => Types[T]): Types[T] {
    let value = this.get(key, type);
    if (value === undefined) {
      value = make();
      this.#put(key, type, value, undefined);
    }
    this.#changed(key);
    return value;
  }

  /** Replaces what a key holds. It expires as before if `keepExpiry` is true, or else never. */
  set<T extends keyof Types>(key: string, type: T, value: Types[T], keepExpiry = false): void {
    const expiresAt = keepExpiry ? this.#live(key)?.expiresAt : undefined;
    this.#put(key, type, value, expiresAt);
    this.#changed(key);
  }

  /** Says that something was taken from a collection, and forgets one that is empty: Redis has none. */
  shrink(key: string, size: number): void {
    const entry = this.#entries.get(key);
    if (size === 0) this.#drop(key);
    else if (entry !== undefined && size < entry.items * 0.75) this.#measure(key, entry);
    this.#changed(key);
  }

  /** Counts bytes that were added to a collection. Now and then it is measured, since what is there already adds nothing. */
  charge(key: string, bytes: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.type === "string") return;
    entry.bytes += bytes;
    this.#bytes += bytes;
    if (entry.bytes > entry.measured * 1.25 + 4096) this.#measure(key, entry);
  }

  /** True if it was there. */
  delete(key: string): boolean {
    if (!this.has(key)) return false;
    this.#drop(key);
    this.#changed(key);
    return true;
  }

  /** False if it was not there. */
  rename(from: string, to: string): boolean {
    const entry = this.#live(from);
    if (entry === undefined) return false;
    this.delete(from);
    this.#put(to, entry.type, entry.value, entry.expiresAt);
    this.#changed(to);
    return true;
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
    this.#changed(key);
    this.#live(key);
  }

  /** Calls `changed` with every key that changes, until it is disposed. */
  watch(changed: (key: string) => void): Disposable {
    this.#watchers.add(changed);
    return { [Symbol.dispose]: () => void this.#watchers.delete(changed) };
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry?.expiresAt === undefined || entry.expiresAt > this.now()) return entry;
    this.#drop(key);
    this.#changed(key);
    return undefined;
  }

  #put(key: string, type: keyof Types, value: Entry["value"], expiresAt: number | undefined): void {
    this.#drop(key);
    const entry = { type, value, expiresAt, bytes: 0, measured: 0, items: 0 };
    this.#entries.set(key, entry);
    this.#measure(key, entry);
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  #measure(key: string, entry: Entry): void {
    this.#bytes -= entry.bytes;
    entry.bytes = entry.measured = measure(entry.value) + key.length + ITEM_BYTES;
    entry.items = count(entry.value);
    this.#bytes += entry.bytes;
  }

  #changed(key: string): void {
    for (const changed of this.#watchers) changed(key);
  }
}

function wrongType(): ReplyError {
  return new ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value");
}
