import { create, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { bytesInto, CodecError, codecOf } from "../src/index.ts";
import { Chance } from "./chance.ts";
import { messageOf, messagesOf, sources, typesOf } from "./contracts.ts";
import { randomMessage } from "./random-message.ts";

const corners = typesOf(sources.corners);
const Corner = messageOf(corners, "dropthrough.codec.test.Corner");
const Required = messageOf(corners, "dropthrough.codec.test.Required");
const Proto3 = messageOf(
  typesOf(sources.conformance),
  "protobuf_test_messages.proto3.TestAllTypesProto3",
);
const codec = codecOf(Corner);
const proto3 = codecOf(Proto3);

test("every message of a corpus fits into exactly its size, and into no byte less", () => {
  const chance = new Chance(4711);
  for (const desc of Object.values(sources).flatMap(messagesOf)) {
    for (let rest = 3; rest > 0; rest--) {
      const message = randomMessage(desc, chance);
      const one = codecOf(desc);
      let bytes: Uint8Array;
      try {
        bytes = toBinary(desc, message);
      } catch {
        expect(() => one.encode(message)).toThrow(CodecError);
        continue;
      }
      const memory = new Uint8Array(bytes.length + 20).fill(0xaa);
      const size = one.encodeInto(message, memory, 10, 10 + bytes.length);
      expect(size).toBe(bytes.length);
      expect(memory.subarray(10, 10 + size)).toEqual(bytes);
      expect(memory.subarray(0, 10)).toEqual(new Uint8Array(10).fill(0xaa));
      expect(memory.subarray(10 + size)).toEqual(new Uint8Array(10).fill(0xaa));
      if (size > 0) expect(one.encodeInto(message, memory, 0, size - 1)).toBe(-1);
    }
  }
});

test("what fits, fits also after larger messages, which leave more room for a length", () => {
  const nested = (text: string): Message =>
    create(Corner, {
      choice: { case: "cornerChoice", value: create(Corner, { withDefault: text }) },
    });
  const memory = new Uint8Array(40_000);
  for (const length of [20_000, 5, 300, 0, 130, 1, 20_000, 127, 128]) {
    const message = nested("x".repeat(length));
    const expected = toBinary(Corner, message);
    expect(codec.encodeInto(message, memory, 7, 7 + expected.length)).toBe(expected.length);
    expect(memory.subarray(7, 7 + expected.length)).toEqual(expected);
  }
});

test("text fits exactly, whatever its characters take", () => {
  const memory = new Uint8Array(1000);
  for (const character of ["a", "é", "日", "😀", "\ud800"]) {
    for (const count of [1, 5, 16, 17, 31, 42, 43, 63, 64, 127, 128, 130]) {
      const message = create(Corner, { withDefault: character.repeat(count) });
      const expected = toBinary(Corner, message);
      const { length } = expected;
      expect(codec.encodeInto(message, memory, 0, length)).toBe(length);
      expect(memory.subarray(0, length)).toEqual(expected);
      for (const less of [1, 2, 3, 4]) {
        expect(codec.encodeInto(message, memory, 0, Math.max(0, length - less))).toBe(-1);
      }
    }
  }
});

describe("a message that protobuf-es cannot encode is refused, and the error names the field", () => {
  test.each<[string, unknown, string]>([
    ["optionalInt32", 2 ** 31, "a whole number from -2147483648 to 2147483647, got 2147483648"],
    ["optionalInt32", 1.5, "got 1.5"],
    ["optionalInt32", "1.5", 'got "1.5"'],
    ["optionalInt32", 1n, ""],
    ["optionalUint32", -1, "a whole number from 0 to 4294967295, got -1"],
    ["optionalSint32", null, "got null"],
    ["optionalSfixed32", Number.NaN, "got NaN"],
    ["optionalInt64", 1n << 63n, "a bigint from -2^63 to 2^63 - 1, got 9223372036854775808"],
    ["optionalInt64", 0.5, "got 0.5"],
    ["optionalUint64", -1n, "a bigint from 0 to 2^64 - 1, got -1"],
    ["optionalFixed64", "x", 'got "x"'],
    ["optionalFloat", 1e39, "a number in the range of a 32-bit float, got 1e+39"],
    ["optionalFloat", "x", 'got "x"'],
    ["optionalDouble", 1n, "a number, got 1"],
    ["optionalBytes", [1, 2], "a Uint8Array, got object"],
    ["optionalBytes", "text", 'a Uint8Array, got "text"'],
    ["optionalNestedEnum", "FOO", 'got "FOO"'],
    ["repeatedInt32", [1, undefined], "got undefined"],
    ["mapInt32Int32", { x: 1 }, 'got "x"'],
    ["mapUint32Uint32", { "-1": 1 }, "got -1"],
    ["mapInt64Int64", { "1.5": 1n }, 'got "1.5"'],
    ["optionalNestedMessage", create(Corner), "expected a message"],
    ["repeatedNestedMessage", [null], ""],
  ])("%s: %s", (name, value, why) => {
    const message = Object.assign(create(Proto3), { [name]: value });
    const refused = (): unknown => proto3.encode(message);
    expect(refused).toThrow(CodecError);
    expect(refused).toThrow(`cannot encode ${Proto3.typeName}: `);
    expect(refused).toThrow(why);
    expect(() => toBinary(Proto3, message)).toThrow(Error);
  });

  test("a required field that is not set", () => {
    const required = codecOf(Required);
    expect(() => required.encode(create(Required))).toThrow(
      "the required field dropthrough.codec.test.Required.name is not set",
    );
    const inner = create(Required, { name: "x", box: { content: new Uint8Array() } });
    expect(required.encode(inner)).toEqual(toBinary(Required, inner));
  });

  test("another type's message", () => {
    expect(() => codec.encode(create(Proto3))).toThrow(
      "expected a message dropthrough.codec.test.Corner, got protobuf_test_messages",
    );
  });

  test("a message that holds itself", () => {
    const message = create(Proto3) as Message & Record<string, unknown>;
    message["recursiveMessage"] = message;
    expect(() => proto3.encode(message)).toThrow(CodecError);
  });

  test("a range that is not inside the memory", () => {
    const encode = (): number => codec.encodeInto(create(Corner), new Uint8Array(5), 2, 6);
    expect(encode).toThrow("[2, 6) is not inside a memory of 5 bytes");
  });
});

test("after a refusal the next message is encoded as ever", () => {
  const wrong = Object.assign(create(Proto3), { optionalString: "abc", optionalUint64: -1n });
  const right = create(Proto3, { optionalString: "abc" });
  expect(() => proto3.encode(wrong)).toThrow(CodecError);
  expect(proto3.encode(right)).toEqual(toBinary(Proto3, right));
});

test("numbers may stand as strings, as with protobuf-es", () => {
  const message = Object.assign(create(Proto3), {
    optionalInt32: "-7",
    optionalUint32: "300",
    optionalInt64: "-5000000000",
    optionalFixed64: 12,
    optionalFloat: "1.5",
    optionalDouble: "2.5",
    optionalBool: "yes",
    optionalString: 42,
    repeatedSint32: ["-3"],
    mapBoolBool: { true: 1, "": 0 },
  });
  expect(proto3.encode(message)).toEqual(toBinary(Proto3, message));
});

test("undefined in the place of a message is an empty one, as with protobuf-es", () => {
  const message = Object.assign(create(Proto3), {
    repeatedNestedMessage: [undefined],
    mapStringNestedMessage: { key: undefined },
    oneofField: { case: "oneofNestedMessage", value: undefined },
    optionalStruct: undefined,
    repeatedStruct: [undefined],
  });
  expect(proto3.encode(message)).toEqual(toBinary(Proto3, message));
});

test("fields that are not the message's own are not written", () => {
  const inherits = Object.assign(
    Object.create({ recursiveMessage: create(Proto3), optionalNestedMessage: {} }),
    create(Proto3, { optionalInt32: 5 }),
  ) as Message;
  expect(proto3.encode(inherits)).toEqual(toBinary(Proto3, inherits));
});

test("a large message is encoded whole, and the arrays that were answered stay as they are", () => {
  const large = create(Proto3, { optionalBytes: new Uint8Array(3 << 20).fill(7) });
  const small = create(Proto3, { optionalString: "small" });
  const first = proto3.encode(small);
  const bytes = proto3.encode(large);
  proto3.encode(create(Proto3, { optionalString: "SMALL" }));
  expect(first).toEqual(toBinary(Proto3, small));
  expect(first.buffer.byteLength).toBe(first.length);
  expect(bytes.length).toBe((3 << 20) + 5);
  expect(fromBinary(Proto3, bytes)).toMatchObject({ optionalString: "" });
});

test("a message may be encoded while another one is", () => {
  const inner = create(Corner, { withDefault: "inner".repeat(50) });
  const outer = create(Corner, {
    choice: {
      case: "cornerChoice",
      value: create(Corner, {
        bytesDefault: bytesInto(1000, (target) =>
          codec.encodeInto(inner, target, 0, target.length),
        ),
        constructor$: "after",
      }),
    },
  });
  const memory = new Uint8Array(2000);
  const length = codec.encodeInto(outer, memory, 0, memory.length);
  const found = fromBinary(Corner, memory.subarray(0, length)) as Message & {
    choice: { value: Message & { bytesDefault: Uint8Array; constructor$: string } };
  };
  // Nor does it disturb what is filled already, where the outer one does not fit in the end.
  const both = Object.assign(create(Corner), {
    bytesDefault: bytesInto(10, (target) => target.fill(7).length),
    choice: {
      case: "bytesChoice",
      value: bytesInto(10, (target) => target.fill(codec.encode(inner).length).length),
    },
    farther: true,
  });
  expect(codec.encodeInto(both, new Uint8Array(28), 0, 28)).toBe(-1);
  expect(codec.encode(both)).toHaveLength(29);
  const innermost = fromBinary(Corner, found.choice.value.bytesDefault);
  expect(innermost).toMatchObject({ withDefault: "inner".repeat(50) });
  expect(found.choice.value.constructor$).toBe("after");
});
