import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { codecOf } from "../src/index.ts";
import type { Chance } from "./chance.ts";
import { randomInit } from "./random-init.ts";
import { randomMessage } from "./random-message.ts";
import { mutate, randomWire } from "./random-wire.ts";
import { difference } from "./same.ts";

/** What a test of the codec against protobuf-es does over and over. Throws where they differ. */
export class Duel {
  readonly #types: readonly DescMessage[];
  readonly #make: typeof codecOf;
  /** How many messages went through, and how many byte strings of them both sides refused. */
  messages = 0;
  created = 0;
  decoded = 0;
  refused = 0;
  unencodable = 0;

  constructor(types: readonly DescMessage[], make: typeof codecOf = codecOf) {
    this.#make = make;
    // Where protobuf-es is wrong, there is nothing to compare.
    this.#types = types.filter(({ name }) => name !== "Inherited");
  }

  /** One random message and what can be made of its bytes. */
  round(chance: Chance): void {
    const desc = chance.pick(this.#types);
    this.create(desc, randomInit(desc, chance), chance);
    const bytes = this.encode(desc, randomMessage(desc, chance), chance);
    this.messages++;
    if (bytes !== undefined) {
      this.decode(desc, bytes, chance);
      const other = Uint8Array.from(randomWire(desc, chance));
      for (let rest = 4; rest > 0; rest--) this.decode(desc, mutate(bytes, other, chance), chance);
    }
    for (let rest = 4; rest > 0; rest--) {
      this.decode(desc, Uint8Array.from(randomWire(desc, chance)), chance);
    }
  }

  /** Both make the same message of what a handler answered, whatever that was, and the same bytes of the message. */
  create(desc: DescMessage, init: Record<string, unknown>, chance: Chance): void {
    const expected = attempt(() => create(desc, init));
    const found = attempt(() => this.#make(desc).create(init));
    this.#compare(desc, expected, found, chance, "create");
    if ("value" in expected && "value" in found) this.encode(desc, found.value, chance);
    this.created++;
  }

  /** Both encode the same bytes, or both refuse. */
  encode(desc: DescMessage, message: Message, chance: Chance): Uint8Array | undefined {
    const expected = attempt(() => toBinary(desc, message));
    const codec = this.#make(desc);
    const found = attempt(() => codec.encode(message));
    this.#compare(desc, expected, found, chance, "encode");
    if (!("value" in expected)) {
      this.unencodable++;
      return undefined;
    }
    const bytes = expected.value;
    const memory = filled(bytes.length + 64);
    const start = chance.below(33);
    const end = start + bytes.length;
    const length = codec.encodeInto(message, memory, start, end);
    const written = difference(bytes, memory.slice(start, end));
    if (length !== bytes.length || written !== undefined || !untouched(memory, start, end)) {
      this.#fail(desc, chance, `encodeInto answered ${length} of ${bytes.length}: ${written}`);
    }
    if (bytes.length > 0) {
      for (const less of [1, 1 + chance.below(bytes.length)]) {
        const short = filled(bytes.length + 64);
        const answer = codec.encodeInto(message, short, start, end - less);
        if (answer !== -1) this.#fail(desc, chance, `encodeInto answered ${answer}, and not -1`);
        if (!untouched(short, start, end - less)) this.#fail(desc, chance, "wrote outside");
      }
    }
    return bytes;
  }

  /** Both decode the same message, or both refuse. */
  decode(desc: DescMessage, bytes: Uint8Array, chance: Chance): void {
    const expected = attempt(() => fromBinary(desc, bytes.slice()));
    const codec = this.#make(desc);
    const start = chance.below(33);
    const end = start + bytes.length;
    const memory = filled(bytes.length + 64);
    memory.set(bytes, start);
    const borrowed = attempt(() => codec.decodeBorrowed(memory, start, end));
    this.#compare(desc, expected, borrowed, chance, `decodeBorrowed of ${bytes.join()}`);
    const found = attempt(() => codec.decode(memory, start, end));
    // What a message owns does not change with the memory.
    memory.fill(0xee);
    this.#compare(desc, expected, found, chance, `decode of ${bytes.join()}`);
    if ("value" in expected) this.decoded++;
    else this.refused++;
  }

  #compare(
    desc: DescMessage,
    expected: Attempt,
    found: Attempt,
    chance: Chance,
    what: string,
  ): void {
    const differs =
      "value" in expected && "value" in found
        ? difference(expected.value, found.value)
        : "value" in expected || "value" in found
          ? `protobuf-es ${outcome(expected)}, the codec ${outcome(found)}`
          : undefined;
    if (differs !== undefined) this.#fail(desc, chance, `${differs} (${what})`);
    const refusal = "thrown" in found ? (found.thrown as Error).name : "CodecError";
    if (what !== "create" && refusal !== "CodecError")
      this.#fail(desc, chance, `threw ${refusal} (${what})`);
  }

  #fail(desc: DescMessage, chance: Chance, what: string): never {
    throw new Error(`${desc.typeName}, seed ${chance.seed}: ${what}`);
  }
}

type Attempt<Value = unknown> = { readonly value: Value } | { readonly thrown: unknown };

function attempt<Value>(act: () => Value): Attempt<Value> {
  try {
    return { value: act() };
  } catch (thrown) {
    return { thrown };
  }
}

function outcome(attempted: Attempt): string {
  return "value" in attempted ? "takes it" : `refuses (${String(attempted.thrown)})`;
}

/** Memory in which every byte that is written to shows. */
function filled(length: number): Uint8Array<ArrayBuffer> {
  while (pattern.length < length) {
    pattern = Uint8Array.from({ length: pattern.length * 2 }, (_, at) => 0x80 | (at * 7));
  }
  return pattern.slice(0, length);
}
let pattern = new Uint8Array(1);

function untouched(memory: Uint8Array, start: number, end: number): boolean {
  for (let at = 0; at < memory.length; at++) {
    if ((at < start || at >= end) && memory[at] !== pattern[at]) return false;
  }
  return true;
}
