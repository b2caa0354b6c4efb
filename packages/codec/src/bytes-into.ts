/**
 * Bytes of a response that are written straight into guest memory, with no array between:
 *
 * ```ts
 * return { data: bytesInto(length, (target) => readSync(fd, target)) };
 * ```
 *
 * The answer stands wherever a `bytes` field is expected. `length` is the most that `fill` may write; `fill` is given
 * exactly that many bytes (their content is undefined), and answers how many it filled from the front. It is called
 * once: when the message is encoded, or when somebody reads the bytes, and then an array of their own holds them. What
 * `fill` throws, the encoder throws. After the bytes went into memory they cannot be read or encoded again.
 */
export function bytesInto(
  length: number,
  fill: (target: Uint8Array) => number,
): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`bytesInto: the length must be a whole number of bytes, got ${length}`);
  }
  made = true;
  return new InPlaceBytes(length, fill) as unknown as Uint8Array<ArrayBuffer>;
}

/** Whether there can be such bytes at all: nobody need look for them before. */
export function anyInPlaceBytes(): boolean {
  return made;
}
let made = false;

/** Reads what is not below like an own array: `value[0]`, `value.slice()`, `for (const byte of value)`. */
const likeBytes: object = new Proxy(Object.create(null) as object, {
  get(_target, key, receiver) {
    if (!InPlaceBytes.is(receiver)) return undefined;
    const bytes = receiver.own();
    const member: unknown = Reflect.get(bytes, key);
    return typeof member === "function" ? member.bind(bytes) : member;
  },
});

/** What {@link bytesInto} answers. Not a real typed array: those cannot be told their content later. */
export class InPlaceBytes {
  readonly #most: number;
  #fill: ((target: Uint8Array) => number) | undefined;
  #own: Uint8Array<ArrayBuffer> | undefined;

  constructor(length: number, fill: (target: Uint8Array) => number) {
    this.#most = length;
    this.#fill = fill;
  }

  static is(value: unknown): value is InPlaceBytes {
    return typeof value === "object" && value !== null && #most in value;
  }

  /** The most bytes there can be, and how many there are once somebody has looked. */
  get most(): number {
    return this.#own?.length ?? this.#most;
  }

  get length(): number {
    return this.own().length;
  }

  get byteLength(): number {
    return this.own().length;
  }

  /** The bytes in an array of their own. */
  own(): Uint8Array<ArrayBuffer> {
    if (this.#own === undefined) {
      const whole = new Uint8Array(this.#most);
      this.#own = whole.subarray(0, this.#once(whole));
    }
    return this.#own;
  }

  /** Puts the bytes at the front of `target`, which has room for `most`, and answers how many. */
  into(target: Uint8Array): number {
    if (this.#own === undefined) return this.#once(target);
    target.set(this.#own);
    return this.#own.length;
  }

  /** What was put into memory did not fit in the end: the bytes stay with us for the next time. */
  keep(bytes: Uint8Array<ArrayBuffer>): void {
    this.#own ??= bytes;
  }

  #once(target: Uint8Array): number {
    const fill = this.#fill;
    if (fill === undefined) {
      throw new Error(
        "these bytes went into memory already; bytesInto makes bytes for one message",
      );
    }
    this.#fill = undefined;
    const filled = fill(target);
    if (Number.isSafeInteger(filled) && filled >= 0 && filled <= this.#most) return filled;
    throw new RangeError(`bytesInto: fill answered ${filled} of at most ${this.#most} bytes`);
  }
}

Object.setPrototypeOf(InPlaceBytes.prototype, likeBytes);
