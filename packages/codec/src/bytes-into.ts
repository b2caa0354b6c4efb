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
 *
 * ```text
 *  memory   ... │ field number │ length │ what fill wrote │ the next field ...
 *                                       ▲ target[0]
 * ```
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

/**
 * What {@link bytesInto} answers. Not a real typed array, since those cannot be told their content later; but it is an
 * `instanceof Uint8Array`, and whoever reads it finds one.
 */
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

  /** The most bytes there can be; how many there are, once that is known. */
  static most(value: InPlaceBytes): number {
    return value.#own?.length ?? value.#most;
  }

  /** The bytes in an array of their own. */
  static own(value: InPlaceBytes): Uint8Array<ArrayBuffer> {
    if (value.#own === undefined) {
      const whole = new Uint8Array(value.#most);
      InPlaceBytes.keep(value, whole.subarray(0, value.#once(whole)));
    }
    return value.#own ?? new Uint8Array();
  }

  /** Puts the bytes at the front of `target`, which has room for `most`, and answers how many. */
  static into(value: InPlaceBytes, target: Uint8Array): number {
    if (value.#own === undefined) return value.#once(target);
    target.set(value.#own);
    return value.#own.length;
  }

  /** Keeps bytes that were written to a place that was given up. */
  static keep(value: InPlaceBytes, bytes: Uint8Array<ArrayBuffer>): void {
    if (value.#own !== undefined) return;
    value.#own = bytes;
    Object.setPrototypeOf(value, readable(bytes));
  }

  #once(target: Uint8Array): number {
    const fill = this.#fill;
    if (fill === undefined) {
      throw new Error(
        "these bytes went into memory already: bytesInto makes bytes for one message",
      );
    }
    this.#fill = undefined;
    const filled = fill(target);
    if (Number.isSafeInteger(filled) && filled >= 0 && filled <= this.#most) return filled;
    throw new RangeError(`bytesInto: fill answered ${filled}, not 0 to ${this.#most} bytes`);
  }
}

/** Before the bytes are there: whatever is read of them, or called, makes them first. */
const likeBytes: object = new Proxy(Object.create(Uint8Array.prototype) as object, {
  get(_target, key, receiver) {
    if (!InPlaceBytes.is(receiver)) return undefined;
    InPlaceBytes.own(receiver);
    return Reflect.get(receiver, key) as unknown;
  },
});
Object.setPrototypeOf(InPlaceBytes.prototype, likeBytes);

/** Once they are there: what makes an ordinary object look like `bytes`, down to `value[0]` and `value.slice()`. */
function readable(bytes: Uint8Array): object {
  const members: PropertyDescriptorMap = {};
  for (const from of [
    Object.getPrototypeOf(Uint8Array.prototype) as object,
    Uint8Array.prototype,
  ]) {
    for (const key of Reflect.ownKeys(from)) {
      const member: unknown = Reflect.get(from, key, bytes);
      members[key as string] = {
        value: typeof member === "function" && key !== "constructor" ? member.bind(bytes) : member,
      };
    }
  }
  return Object.create(bytes, members) as object;
}
