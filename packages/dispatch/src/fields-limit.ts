import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { countFields } from "@dropthrough/codec";

/** A message of 2 bytes, of a type with as many fields as a manifest may give it, counts so much. */
const MOST_WEIGHT = 1 + 1024 / 8;

/** How many fields a message may hold: more would take the host too long to read. */
export class FieldsLimit {
  readonly #desc: DescMessage;
  readonly #most: number;
  readonly #weighed: boolean;
  /** Up to so many bytes cannot hold too many: the least field takes two. */
  readonly #countAbove: number;

  /** @param weighed the types are a guest's: they count too, as `countFields` says */
  constructor(desc: DescMessage, most: number, weighed: boolean) {
    this.#desc = desc;
    this.#most = most;
    this.#weighed = weighed;
    this.#countAbove = (2 * most) / (weighed ? MOST_WEIGHT : 1);
  }

  /** Whether `memory[at, end)` holds more. */
  isExceeded(memory: Uint8Array, at: number, end: number): boolean {
    return end - at > this.#countAbove && this.#count(memory, at, end) > this.#most;
  }

  #count(memory: Uint8Array, at: number, end: number): number {
    return countFields(this.#desc, memory, at, end, this.#most, this.#weighed);
  }

  /** What whoever sent it is told. */
  error(): ConnectError {
    return new ConnectError(
      `the ${this.#desc.typeName} holds more than ${this.#most} fields: send less at once`,
      Code.ResourceExhausted,
    );
  }
}
