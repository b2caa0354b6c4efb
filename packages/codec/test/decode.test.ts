import { create, fromBinary, isMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { CodecError, codecOf, lend } from "../src/index.ts";
import { messageOf, sources, typesOf } from "./contracts.ts";
import { difference } from "./same.ts";

type Loose = Message & { readonly [name: string]: unknown };

const corners = typesOf(sources.corners);
const Corner = messageOf(corners, "dropthrough.codec.test.Corner");
const Inherited = messageOf(corners, "dropthrough.codec.test.Inherited");
const PlainInherited = messageOf(corners, "dropthrough.codec.test.editions.Inherited");
const Mixed = messageOf(corners, "dropthrough.codec.test.editions.Mixed");

const codec = codecOf(Corner);

/** Decodes bytes that stand in the middle of a memory full of others. */
function decode(...bytes: number[]): Loose {
  const memory = new Uint8Array(bytes.length + 200).fill(0x81);
  memory.set(bytes, 100);
  return codec.decode(memory, 100, 100 + bytes.length);
}

test("the same descriptor has one codec", () => {
  expect(codecOf(Corner)).toBe(codec);
  expect(codecOf(Corner, { compile: false })).not.toBe(codec);
  expect(codecOf(Corner, { compile: false })).toBe(codecOf(Corner, { compile: false }));
  expect(codec.desc).toBe(Corner);
});

test("a decoded message is protobuf-es's in everything a program can notice", () => {
  const message = codec.decode(new Uint8Array(), 0, 0);
  expect(isMessage(message, Corner)).toBe(true);
  expect(difference(message, create(Corner))).toBeUndefined();
  // Presence is the prototype's business: the default can be read, and is not set.
  expect((message as Loose)["infinite"]).toBe(-Infinity);
  expect(Object.hasOwn(message, "infinite")).toBe(false);
});

test("what a message owns does not change with the memory", () => {
  const memory = new Uint8Array(3000).fill(7);
  for (const length of [0, 1, 32, 33, 64, 65, 1024, 1025, 2000]) {
    const bytes = [...toBinary(Corner, create(Corner, { bytesDefault: memory.slice(0, length) }))];
    const unknown = [0xfa, 0x3f, 3, 7, 7, 7];
    const at = memory.slice();
    at.set([...bytes, ...unknown], 10);
    const message = codec.decode(at, 10, 10 + bytes.length + 6) as Loose;
    at.fill(9);
    expect(message["bytesDefault"]).toEqual(memory.slice(0, length));
    expect(message.$unknown).toEqual([{ no: 1023, wireType: 2, data: Uint8Array.of(3, 7, 7, 7) }]);
  }
});

test("kept bytes of one message do not overlap those of the next", () => {
  const memory = Uint8Array.of(0x2a, 100, ...Array.from({ length: 100 }, (_, at) => at));
  const first = (codec.decode(memory, 0, 102) as Loose)["bytesDefault"] as Uint8Array;
  memory[5] = 99;
  const second = (codec.decode(memory, 0, 102) as Loose)["bytesDefault"] as Uint8Array;
  second.fill(1);
  expect(first).toEqual(Uint8Array.from({ length: 100 }, (_, at) => at));
});

test.each([3, 40, 100, 5000])(
  "%i bytes are plain Uint8Arrays of their own, whatever the memory is",
  (length) => {
    const head = length < 128 ? [0x2a, length] : [0x2a, (length & 127) | 128, length >> 7];
    const wire = Uint8Array.of(...head, ...Array.from({ length }, (_, at) => at & 255));
    const shared = new Uint8Array(new SharedArrayBuffer(wire.length));
    shared.set(wire);
    for (const memory of [Buffer.from(wire), wire.slice(), shared, Buffer.from(wire)]) {
      const bytes = (codec.decode(memory, 0, wire.length) as Loose)["bytesDefault"] as Uint8Array;
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
      memory.fill(0);
      expect(bytes).toEqual(wire.subarray(head.length));
    }
  },
);

test("borrowed bytes are views of the memory", () => {
  const memory = Uint8Array.of(0, 0x2a, 3, 1, 2, 3);
  const bytes = (codec.decodeBorrowed(memory, 1, 6) as Loose)["bytesDefault"] as Uint8Array;
  memory[3] = 77;
  expect([...bytes]).toEqual([77, 2, 3]);
});

test("bytes that are borrowed one after the other are those of their own place, length and memory", () => {
  const borrowed = (memory: Uint8Array, start: number, end: number): number[] => [
    ...((codec.decodeBorrowed(memory, start, end) as Loose)["bytesDefault"] as Uint8Array),
  ];
  const memory = Uint8Array.of(0x2a, 3, 1, 2, 3, 0x2a, 2, 5, 6);
  const other = Uint8Array.of(0x2a, 3, 7, 8, 9);
  expect(borrowed(memory, 0, 5)).toEqual([1, 2, 3]);
  memory[2] = 77;
  expect(borrowed(memory, 0, 5)).toEqual([77, 2, 3]);
  expect(borrowed(other, 0, 5)).toEqual([7, 8, 9]);
  expect(borrowed(memory, 5, 9)).toEqual([5, 6]);
  memory[1] = 2;
  expect(borrowed(memory, 0, 4)).toEqual([77, 2]);
  memory.set([0x2a, 0, 0x2a, 4, 1, 2, 3, 4]);
  expect(borrowed(memory, 0, 2)).toEqual([]);
  expect(borrowed(memory, 0, 8)).toEqual([1, 2, 3, 4]);
});

test.each([127, 128, 16_383, 16_384, 2_097_151, 2_097_152])(
  "a length of %i is read, and one that stands in more bytes than it needs",
  (length) => {
    const size = [length & 127, (length >> 7) & 127, (length >> 14) & 127, length >> 21];
    const bytes = size.findLastIndex((part) => part > 0) + 1;
    for (const more of [0, 1, 2]) {
      const head = [0x2a];
      for (let at = 0; at < bytes + more; at++)
        head.push((size[at] ?? 0) | (at < bytes + more - 1 ? 128 : 0));
      const memory = new Uint8Array(head.length + length).fill(7);
      memory.set(head);
      const message = codec.decode(memory, 0, memory.length) as Loose;
      expect((message["bytesDefault"] as Uint8Array).length).toBe(length);
      for (let end = 1; end <= head.length; end++)
        expect(() => codec.decode(memory, 0, end)).toThrow("in the middle of a value");
      expect(() => codec.decode(memory, 0, memory.length - 1)).toThrow("in the middle of a value");
    }
  },
);

test("who keeps lent bytes reads 0xDB", () => {
  const memory = Uint8Array.of(0x2a, 3, 1, 2, 3);
  let kept: unknown;
  {
    using lent = lend(codec, memory, 0, 5);
    kept = (lent.message as Loose)["bytesDefault"];
    expect(kept).toEqual(Uint8Array.of(1, 2, 3));
  }
  expect(kept).toEqual(Uint8Array.of(0xdb, 0xdb, 0xdb));
  expect(memory).toEqual(Uint8Array.of(0x2a, 3, 1, 2, 3));
});

describe("bytes that are no message are refused, and the error says where", () => {
  test.each<[string, number[], string]>([
    ["a varint that ends with the message", [0x08, 0x80], "in the middle of a value (byte 2 of 2)"],
    ["a tag without a value", [0x08], "in the middle of a value (byte 1 of 1)"],
    ["a string longer than the message", [0x22, 5, 97], "in the middle of a value (byte 1 of 3)"],
    ["a double of seven bytes", [0x31, 1, 2, 3, 4, 5, 6, 7], "in the middle of a value"],
    ["a length of 2^32 - 1", [0x22, 255, 255, 255, 255, 15], "in the middle of a value"],
    ["a message longer than the bytes", [0xca, 0x01, 9], "in the middle of a value"],
    [
      "a varint of eleven bytes",
      [0x08, ...Array.from({ length: 10 }, () => 0x80), 0],
      "more than 10",
    ],
    ["field number 0", [0x02, 0], "field number 0"],
    ["wire type 6", [0x0e, 0], "wire type 6 does not exist"],
    ["wire type 6 in an entry of a map", [0x6a, 2, 0x0e, 0], "wire type 6 does not exist"],
    ["wire type 7 of an unknown field", [0xff, 0x01, 0], "wire type 7 does not exist"],
    ["a field number above 2^29", [0xff, 0xff, 0xff, 0xff, 0x1f], "field number is out of range"],
    ["the end of a group that did not begin", [0xfc, 0x3f], "a group does not end"],
    ["a group that does not end", [0xbb, 0x01], "a group does not end"],
    ["an unknown group with another's end", [0xfb, 0x3f, 0x0c], "a group does not end"],
    ["an unknown group that does not end", [0xfb, 0x3f], "in the middle of a value"],
  ])("%s", (_what, bytes, why) => {
    const refused = (): unknown => decode(...bytes);
    expect(refused).toThrow(CodecError);
    expect(refused).toThrow("cannot decode dropthrough.codec.test.Corner: ");
    expect(refused).toThrow(why);
    expect(() => fromBinary(Corner, Uint8Array.from(bytes))).toThrow(Error);
  });

  test("text that is no UTF-8, unless the field says that it need not be", () => {
    const text = [0x61, 0xc3, 0x28];
    const mixed = codecOf(Mixed);
    const bytes = Uint8Array.of(0x1a, 3, ...text, 0x22, 3, ...text);
    expect(() => mixed.decode(bytes, 0, 5)).toThrow("a string is not UTF-8 (byte 2 of 5)");
    expect(mixed.decode(bytes, 5, 10)).toMatchObject({ anyText: "a\ufffd(" });
  });

  test("a range that is not inside the memory", () => {
    const memory = new Uint8Array(10);
    for (const [start, end] of [
      [-1, 2],
      [3, 2],
      [0, 11],
      [Number.NaN, 5],
    ] as const) {
      expect(() => codec.decode(memory, start, end)).toThrow("is not inside a memory of 10 bytes");
    }
  });

  test("a memory that has moved", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const view = new Uint8Array(memory.buffer);
    memory.grow(1);
    expect(() => codec.decode(view, 0, 10)).toThrow("is not inside a memory of 0 bytes");
  });
});

test("100 messages may be nested, and 101 are refused", () => {
  const nested = (depth: number, around: (inner: number[]) => number[]): Uint8Array => {
    let bytes: number[] = [];
    for (let level = 1; level < depth; level++) bytes = around(bytes);
    return Uint8Array.from(bytes);
  };
  const length = (inner: number[]): number[] => {
    const size = inner.length;
    return [0xca, 0x01, ...(size < 128 ? [size] : [(size & 127) | 128, size >> 7]), ...inner];
  };
  const group = (inner: number[]): number[] => [0x3b, ...inner, 0x3c];
  const unknown = (inner: number[]): number[] => [0xfb, 0x3f, ...inner, 0xfc, 0x3f];
  for (const [desc, around] of [
    [Corner, length],
    [Mixed, group],
    [Corner, unknown],
  ] as const) {
    const deep = nested(100, around);
    const deeper = nested(101, around);
    expect(codecOf(desc).decode(deep, 0, deep.length)).toEqual(fromBinary(desc, deep));
    expect(() => codecOf(desc).decode(deeper, 0, deeper.length)).toThrow("nested deeper than 100");
    expect(() => fromBinary(desc, deeper)).toThrow(Error);
  }
});

test("a map key __proto__ is a key like any other", () => {
  const message = decode(0x6a, 15, 0x0a, 9, ...Buffer.from("__proto__"), 0x12, 2, 0x68, 0x69);
  const map = message["propertyIsEnumerable"] as object;
  expect(Object.entries(map)).toEqual([["__proto__", "hi"]]);
  expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
});

test("a message field is not read into what every object inherits by its name", () => {
  const inherited = codecOf(Inherited);
  const bytes = Uint8Array.of(0x0a, 2, 0x18, 5, 0x12, 2, 0x08, 6);
  const message = inherited.decode(bytes, 0, bytes.length) as Loose;
  expect(message["hasOwnProperty"]).toMatchObject({ $typeName: Inherited.typeName, number: 5 });
  expect(message["isPrototypeOf"]).toBe(6);
  expect(Object.keys(Reflect.get(Object.prototype, "hasOwnProperty"))).toEqual([]);
  expect(inherited.encode(message)).toEqual(bytes);
  expect(inherited.encode(create(Inherited))).toEqual(new Uint8Array());
  // The same without a prototype for presence.
  const plain = codecOf(PlainInherited);
  expect(plain.encode(plain.decode(Uint8Array.of(0x0a, 0), 0, 2))).toEqual(Uint8Array.of(0x0a, 0));
  expect(plain.encode(create(PlainInherited))).toEqual(new Uint8Array());
});

test("extensions stand among the unknown fields, where protobuf-es finds them", async () => {
  const { getExtension, setExtension } = await import("@bufbuild/protobuf");
  const extension = corners.getExtension("dropthrough.codec.test.extended");
  if (extension === undefined) throw new Error("no extension");
  const message = create(Corner);
  setExtension(message, extension, "more");
  const bytes = codec.encode(message);
  expect(bytes).toEqual(toBinary(Corner, message));
  expect(getExtension(codec.decode(bytes, 0, bytes.length), extension)).toBe("more");
});

test("memory that threads share is read like any other", () => {
  const memory = new Uint8Array(new SharedArrayBuffer(100));
  const text = "a text that is long enough for the platform, \ufffd, and bytes";
  const bytes = toBinary(
    Corner,
    create(Corner, { withDefault: text, bytesDefault: new Uint8Array(5) }),
  );
  memory.set(bytes);
  expect(codec.decode(memory, 0, bytes.length)).toEqual(fromBinary(Corner, bytes));
});
