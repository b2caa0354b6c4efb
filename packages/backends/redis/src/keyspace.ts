import { ascii, own } from "./commands/arguments.ts";
import type { Argument } from "./connection.ts";

/**
 * Where the keys of one guest live: before each of its keys stands a prefix that it neither sees nor can leave.
 *
 * ```text
 *  guest's key          "k"
 *  in Redis    "app:{words.facade}:k"
 *               prefix  └ guest ┘      the braces keep the keys of one guest in one slot of a cluster
 * ```
 */
export class Keyspace {
  readonly prefix: Buffer;
  /** Whether there is a prefix at all. */
  readonly isolated: boolean;
  /** The prefix as text, if it is short ASCII. */
  readonly #text: string | undefined;
  readonly #pattern: string;

  /**
   * @param guest whose keys these are, if each guest has its own
   * @param more what the guest itself puts before them
   */
  constructor(prefix: string, guest?: string, more: Uint8Array = new Uint8Array()) {
    // The name is escaped so that no guest's prefix can be the start of another's.
    const guests = guest === undefined ? "" : `{${encodeURIComponent(guest)}}:`;
    this.prefix = Buffer.concat([Buffer.from(prefix + guests), more]);
    this.isolated = this.prefix.length > 0;
    this.#text = ascii(this.prefix);
    this.#pattern = escapeGlob(this.prefix);
  }

  /** A guest's key → the key in Redis, as a word of our own. */
  key(key: Uint8Array): Argument {
    if (!this.isolated) return own(key);
    const text = this.#text === undefined ? undefined : ascii(key);
    return text === undefined ? this.bytes(key) : `${this.#text}${text}`;
  }

  /** The same for many. */
  keys(keys: readonly Uint8Array[]): Argument[] {
    return keys.map((key) => this.key(key));
  }

  /** The same, as bytes in any case. */
  bytes(key: Uint8Array): Buffer {
    return Buffer.concat([this.prefix, key]);
  }

  /** A guest's pattern → a pattern that finds nothing outside. */
  pattern(pattern: Uint8Array): Buffer {
    return Buffer.concat([Buffer.from(this.#pattern, "latin1"), pattern]);
  }

  /** A pattern that `pattern` made → the guest's pattern. */
  stripPattern(pattern: Uint8Array): Uint8Array {
    return pattern.subarray(this.#pattern.length);
  }

  /** A key in Redis → the guest's key. */
  strip(key: Uint8Array): Uint8Array {
    return key.subarray(this.prefix.length);
  }
}

/** Text that a Redis pattern takes for itself. */
function escapeGlob(text: Buffer): string {
  return text.toString("latin1").replaceAll(/[*?[\]\\^-]/g, "\\$&");
}
