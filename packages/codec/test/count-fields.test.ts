import { type DescField, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { countFields } from "../src/index.ts";
import { Chance } from "./chance.ts";
import { messageOf, messagesOf, sources, typesOf } from "./contracts.ts";
import { randomMessage } from "./random-message.ts";
import { mutate, randomWire } from "./random-wire.ts";

// oxlint-disable-next-line typescript/unbound-method -- they are called with the reader that they are called on
const { tag, skip } = BinaryReader.prototype;
/** The tags that protobuf-es has read, but for those in groups that it skipped; and those of them that may end a group. */
let tags = 0;
let ends = 0;

beforeEach(() => {
  let skipped = 0;
  Object.assign(BinaryReader.prototype, {
    tag(this: BinaryReader) {
      const read = tag.call(this);
      if (skipped > 0) return read;
      tags++;
      if (read[1] === WireType.EndGroup) ends++;
      return read;
    },
    skip(this: BinaryReader, ...of: Parameters<typeof skip>) {
      skipped++;
      try {
        return skip.apply(this, of);
      } finally {
        skipped--;
      }
    },
  });
});
afterEach(() => void Object.assign(BinaryReader.prototype, { tag, skip }));

/** How many fields protobuf-es reads where it decodes the bytes; undefined if it refuses them. */
function decoded(desc: DescMessage, bytes: Uint8Array): number | undefined {
  tags = ends = 0;
  try {
    fromBinary(desc, bytes);
  } catch {
    return undefined;
  }
  return tags - ends;
}

/** What messages in a message count for the fields of their types. */
function weightOf(desc: DescMessage, reader: BinaryReader, end: number): number {
  let weight = 0;
  while (reader.pos < end) {
    const [number, type] = reader.tag();
    if (type === WireType.EndGroup) break;
    const field = desc.fields.find((one) => one.number === number);
    if (field?.message === undefined) reader.skip(type, number);
    else weight += weightOfField(field, field.message, reader, type);
  }
  return weight;
}

function weightOfField(
  field: DescField,
  message: DescMessage,
  reader: BinaryReader,
  type: WireType,
): number {
  const own = Math.floor(message.fields.length / 8);
  if (type === WireType.StartGroup) return own + weightOf(message, reader, reader.len);
  const length = reader.uint32();
  const end = reader.pos + length;
  if (field.fieldKind !== "map") return own + weightOf(message, reader, end);
  let weight = own;
  while (reader.pos < end) {
    const [of, wireType] = reader.tag();
    if (of !== 2) reader.skip(wireType, of);
    else {
      const itemLength = reader.uint32();
      weight += weightOf(message, reader, reader.pos + itemLength);
    }
  }
  return weight;
}

/** What of some bytes, which stand among others. */
function counted(desc: DescMessage, bytes: Uint8Array, most: number, weighed = false): number {
  const memory = new Uint8Array(bytes.length + 20).fill(0x0a);
  memory.set(bytes, 10);
  return countFields(desc, memory, 10, 10 + bytes.length, most, weighed);
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
      const expected = decoded(desc, bytes) ?? 0;
      most = Math.max(most, expected);
      const where = `seed ${seed}, ${desc.typeName}`;
      expect(counted(desc, bytes, 1e9), where).toBe(expected);
      const weight = weightOf(desc, new BinaryReader(bytes), bytes.length);
      expect(counted(desc, bytes, 1e9, true), where).toBe(expected + weight);
      if (expected > 0) {
        expect(counted(desc, bytes, expected - 1), where).toBe(expected);
        expect(counted(desc, bytes, 0), where).toBe(1);
      }
    }
    expect(most).toBeGreaterThan(10);
  },
);

test.each(Object.entries(sources))(
  "of any bytes that can be decoded as a message of the %s as many fields are counted as are decoded",
  (_name, folder) => {
    let good = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const chance = new Chance(seed);
      const desc = chance.pick(messages(folder));
      let bytes = Uint8Array.from(randomWire(desc, chance));
      if (chance.once(2)) bytes = mutate(bytes, bytes, chance) as typeof bytes;
      const expected = decoded(desc, bytes);
      const count = counted(desc, bytes, 1e9);
      const where = `seed ${seed}, ${desc.typeName}, ${Buffer.from(bytes).toString("hex")}`;
      expect(count, where).toBeLessThanOrEqual(bytes.length);
      if (expected === undefined) continue;
      // What says that it ends a group may be any field, outside of groups.
      expect(count - expected, where).toBeGreaterThanOrEqual(0);
      expect(count - expected, where).toBeLessThanOrEqual(ends);
      good++;
    }
    expect(good).toBeGreaterThan(300);
  },
);

describe("small parts by the thousand are not hidden", () => {
  const types = typesOf(sources.conformance);
  const desc = messageOf(types, "protobuf_test_messages.proto3.TestAllTypesProto3");
  const field = (name: string): number =>
    desc.fields.find((one) => one.name === name)?.number ?? Number.NaN;
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
  const part = [...varint(field("repeated_nested_message") * 8 + 2), 0];
  const parts = Array.from({ length: 1000 }, () => part).flat();

  test.each<[string, number[]]>([
    [
      "behind a number that says that it is a text",
      [...varint(field("optional_int32") * 8 + 2), ...varint(parts.length), ...parts],
    ],
    [
      "behind a text that says that it is a number",
      [...varint(field("optional_string") * 8 + 1), 0, ...parts],
    ],
    [
      "in a message that says that it is a number",
      [...varint(field("recursive_message") * 8 + 1), ...varint(parts.length), ...parts],
    ],
    [
      "behind a message that ends in the middle of a field",
      [...varint(field("recursive_message") * 8 + 2), 1, 8, 0, ...parts],
    ],
    [
      "behind an entry of a map whose key ends after it",
      [...varint(field("map_string_string") * 8 + 2), 1, 10, 1, 65, ...parts],
    ],
  ])("%s", (_where, bytes) => {
    const given = Uint8Array.from(bytes);
    expect(decoded(desc, given)).toBeGreaterThanOrEqual(1000);
    expect(counted(desc, given, 1e9)).toBe(decoded(desc, given));
  });
});

const known = new Map<string, DescMessage[]>();

function messages(folder: string): DescMessage[] {
  const found = known.get(folder) ?? messagesOf(folder);
  known.set(folder, found);
  return found;
}
