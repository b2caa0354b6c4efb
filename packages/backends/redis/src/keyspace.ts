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
  readonly #pattern: string;

  /** @param guest whose keys these are, if each guest has its own */
  constructor(prefix: string, guest?: string) {
    // The name is escaped so that no guest's prefix can be the start of another's.
    const own = guest === undefined ? "" : `{${encodeURIComponent(guest)}}:`;
    this.prefix = Buffer.from(prefix + own);
    this.#pattern = escapeGlob(this.prefix);
  }

  /** Whether there is a prefix at all. */
  get isolated(): boolean {
    return this.prefix.length > 0;
  }

  /** A guest's key → the key in Redis, as bytes of our own. */
  key(key: Uint8Array): Buffer {
    return this.isolated ? Buffer.concat([this.prefix, key]) : Buffer.from(key);
  }

  /** The same for many. */
  keys(keys: readonly Uint8Array[]): Buffer[] {
    return keys.map((key) => this.key(key));
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
