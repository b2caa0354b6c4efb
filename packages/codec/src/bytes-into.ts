import { copyBytes } from "./read-bytes.ts";

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
  return bytesAt(length, (memory, at, most) => fill(memory.subarray(at, at + most)));
}

/**
 * The same without a view, which takes as long as the rest of a small answer: `fill` is given the whole memory, and may
 * write at most `most` bytes of it, from `at` on.
 *
 * ```ts
 * return { data: bytesAt(length, (memory, at, most) => readSync(fd, memory, at, most, position)) };
 * ```
 */
export function bytesAt(length: number, fill: FillAt): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`bytesInto: the length must be a whole number of bytes, got ${length}`);
  }
  made = true;
  return new InPlaceBytes(length, fill) as unknown as Uint8Array<ArrayBuffer>;
}

/** Writes at most `most` bytes into `memory[at, at + most)`; answers how many. */
export type FillAt = (memory: Uint8Array, at: number, most: number) => number;

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
  #fill: FillAt | undefined;
  #own: Uint8Array<ArrayBuffer> | undefined;
  /** Where they stand in the message that is being written, and what was put into it before them. */
  #at = 0;
  #length = 0;
  #before: InPlaceBytes | undefined;

  constructor(length: number, fill: FillAt) {
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
      InPlaceBytes.#keep(value, whole.subarray(0, value.#once(whole, 0)));
    }
    return value.#own ?? new Uint8Array();
  }

  /** Puts the bytes into `memory[at, at + most)`, and answers how many. */
  static into(value: InPlaceBytes, memory: Uint8Array, at: number): number {
    if (value.#own === undefined) return value.#once(memory, at);
    memory.set(value.#own, at);
    return value.#own.length;
  }

  /** Remembers where the bytes were put; answers the head of the list that begins with them. */
  static placed(
    value: InPlaceBytes,
    at: number,
    length: number,
    before: InPlaceBytes | undefined,
  ): InPlaceBytes | undefined {
    // An array of their own is there for as many messages as want it.
    if (value.#own !== undefined) return before;
    value.#at = at;
    value.#length = length;
    value.#before = before;
    return value;
  }

  /** What was put at `from` or behind it has been moved by so many bytes. */
  static move(last: InPlaceBytes | undefined, from: number, by: number): void {
    for (let value = last; value !== undefined; value = value.#before)
      if (value.#at >= from) value.#at += by;
  }

  /** Takes back what was put into a place that is given up: nobody fills it a second time. */
  static takeBack(last: InPlaceBytes | undefined, memory: Uint8Array): void {
    for (let value = last; value !== undefined; value = value.#before) {
      InPlaceBytes.#keep(value, copyBytes(memory, value.#at, value.#at + value.#length));
    }
  }

  static #keep(value: InPlaceBytes, bytes: Uint8Array<ArrayBuffer>): void {
    if (value.#own !== undefined) return;
    value.#own = bytes;
    Object.setPrototypeOf(value, readable(bytes));
  }

  #once(memory: Uint8Array, at: number): number {
    const fill = this.#fill;
    if (fill === undefined) {
      throw new Error(
        "these bytes went into memory already: bytesInto makes bytes for one message",
      );
    }
    this.#fill = undefined;
    const filled = fill(memory, at, this.#most);
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
