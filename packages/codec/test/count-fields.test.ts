import { type DescMessage, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { countFields } from "../src/index.ts";
import { Chance } from "./chance.ts";
import { messagesOf, sources } from "./contracts.ts";
import { randomMessage } from "./random-message.ts";

/** How many fields the bytes of a message in a message hold. */
type Inside = (bytes: Uint8Array) => number;

/** The same with the library's own reader. */
function fieldsOf(desc: DescMessage, bytes: Uint8Array, weighed: boolean): number {
  return count(bytes, (number) => {
    const { fieldKind, message } = desc.fields.find((one) => one.number === number) ?? {};
    if (message === undefined) return undefined;
    const weight = weighed ? Math.floor(message.fields.length / 8) : 0;
    const inside: Inside = (value) => weight + fieldsOf(message, value, weighed);
    if (fieldKind !== "map") return inside;
    return (entry) => count(entry, (of) => (of === 2 ? inside : undefined));
  });
}

function count(bytes: Uint8Array, childOf: (number: number) => Inside | undefined): number {
  const reader = new BinaryReader(bytes);
  let fields = 0;
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    fields++;
    const child = childOf(number);
    if (type === WireType.LengthDelimited && child !== undefined) fields += child(reader.bytes());
    else reader.skip(type, number);
  }
  return fields;
}

test.each(Object.entries(sources))(
  "the fields of random messages of the %s are counted, no further than asked, and none beside them",
  (_name, folder) => {
    let most = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const chance = new Chance(seed);
      const desc = chance.pick(messages(folder));
      let bytes: Uint8Array;
      try {
        bytes = toBinary(desc, randomMessage(desc, chance));
      } catch {
        // A required field was left out.
        continue;
      }
      const memory = new Uint8Array(bytes.length + 20).fill(0x0a);
      memory.set(bytes, 10);
      const end = 10 + bytes.length;
      const expected = fieldsOf(desc, bytes, false);
      most = Math.max(most, expected);
      const where = `seed ${seed}, ${desc.typeName}`;
      expect(countFields(desc, memory, 10, end, 1e9), where).toBe(expected);
      const weighed = fieldsOf(desc, bytes, true);
      expect(countFields(desc, memory, 10, end, 1e9, true), where).toBe(weighed);
      if (expected > 0) {
        expect(countFields(desc, memory, 10, end, expected - 1), where).toBe(expected);
        expect(countFields(desc, memory, 10, end, 0), where).toBe(1);
      }
      // What is no message is counted as far as it goes.
      for (let i = 0; i < 20; i++) memory[10 + chance.below(bytes.length)] = chance.below(256);
      expect(countFields(desc, memory, 10, end, 1e9), where).toBeLessThanOrEqual(bytes.length);
    }
    expect(most).toBeGreaterThan(10);
  },
);

const known = new Map<string, DescMessage[]>();

function messages(folder: string): DescMessage[] {
  const found = known.get(folder) ?? messagesOf(folder);
  known.set(folder, found);
  return found;
}
