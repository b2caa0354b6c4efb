import { create, fromBinary, type Message, toBinary, toJson } from "@bufbuild/protobuf";
import { type BytesValue, BytesValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { bytesAt, bytesInto, CodecError, codecOf, fillBytes } from "../src/index.ts";
import { messageOf, sources, typesOf } from "./contracts.ts";

const types = typesOf(sources.conformance);
const Proto3 = messageOf(types, "protobuf_test_messages.proto3.TestAllTypesProto3");

/** A message with these fields, of which some hold bytes. */
function make(fields: Record<string, unknown>): Message {
  return create(Proto3, fields);
}

function holding(bytes: Uint8Array): Message {
  return make({ optionalBytes: bytes });
}

/** Fills as many bytes as it is asked for with 7, and counts how often. */
function sevens(length: number, filled = length): { bytes: Uint8Array; times: () => number } {
  let times = 0;
  const bytes = bytesInto(length, (target) => {
    times++;
    target.fill(9);
    target.fill(7, 0, filled);
    return filled;
  });
  return { bytes, times: () => times };
}

describe.each([
  ["compiled", true],
  ["by protobuf-es", false],
])("%s", (_name, compile) => {
  const codec = codecOf(Proto3, { compile });

  test.each([
    [0, 0],
    [1, 1],
    [127, 127],
    [128, 128],
    [128, 127],
    [70_000, 70_000],
    [70_000, 3],
    [70_000, 0],
  ])("%i bytes at most, %i filled: what is encoded is what was filled", (most, filled) => {
    for (const around of [
      holding,
      (bytes: Uint8Array) => make({ optionalBytes: bytes, optionalString: "before" }),
      (bytes: Uint8Array) => make({ repeatedBytes: [bytes, new Uint8Array(3)] }),
      (bytes: Uint8Array) => make({ mapStringBytes: { key: bytes } }),
      (bytes: Uint8Array) => make({ optionalBytesWrapper: bytes }),
      (bytes: Uint8Array) => make({ oneofField: { case: "oneofBytes", value: bytes } }),
      (bytes: Uint8Array) => make({ recursiveMessage: { recursiveMessage: holding(bytes) } }),
    ]) {
      const expected = fromBinary(Proto3, toBinary(Proto3, around(new Uint8Array(filled).fill(7))));
      const memory = new Uint8Array(100_000);
      const one = sevens(most, filled);
      const length = codec.encodeInto(around(one.bytes), memory, 5, memory.length);
      expect(codec.decode(memory, 5, 5 + length)).toEqual(expected);
      expect(one.times()).toBe(1);
      const fresh = codec.encode(around(sevens(most, filled).bytes));
      expect(codec.decode(fresh, 0, fresh.length)).toEqual(expected);
    }
  });

  test("what fill throws is thrown as it is", () => {
    const error = new Error("no such file");
    const throwing = (): Message =>
      holding(
        bytesInto(10, () => {
          throw error;
        }),
      );
    const thrown = (act: () => unknown): unknown => {
      try {
        return act();
      } catch (caught) {
        return caught;
      }
    };
    expect(thrown(() => codec.encodeInto(throwing(), new Uint8Array(50), 0, 50))).toBe(error);
    expect(thrown(() => codec.encode(throwing()))).toBe(error);
  });

  test("a fill that answers more than it was given is refused", () => {
    for (const answer of [11, -1, 0.5, Number.NaN]) {
      const message = holding(bytesInto(10, () => answer));
      expect(() => codec.encodeInto(message, new Uint8Array(50), 0, 50)).toThrow(
        `bytesInto: fill answered ${answer}, not 0 to 10 bytes`,
      );
    }
  });

  test("bytes that were filled and did not fit in the end are not filled again", () => {
    // What stands after the bytes does not fit: its field number is higher.
    const one = sevens(100, 90);
    const inner = make({ optionalBytes: one.bytes, repeatedString: ["x".repeat(100)] });
    const message = make({ recursiveMessage: inner });
    expect(codec.encodeInto(message, new Uint8Array(150), 0, 150)).toBe(-1);
    expect(one.times()).toBe(1);
    const bytes = codec.encode(message);
    expect(codec.encodeInto(message, new Uint8Array(300), 0, 300)).toBe(bytes.length);
    expect(one.times()).toBe(1);
    expect(codec.decode(bytes, 0, bytes.length)).toMatchObject({
      recursiveMessage: { optionalBytes: new Uint8Array(90).fill(7) },
    });
  });
});

const codec = codecOf(Proto3);

test("fill writes straight into the memory", () => {
  const memory = new Uint8Array(100);
  let target: Uint8Array | undefined;
  const message = holding(
    bytesInto(10, (given) => {
      target = given;
      return 10;
    }),
  );
  codec.encodeInto(message, memory, 20, 100);
  expect(target?.buffer).toBe(memory.buffer);
  expect(target?.byteOffset).toBe(22);
  expect(target?.length).toBe(10);
});

test("bytesAt is given the memory itself, and where in it, and leaves the rest alone", () => {
  const memory = new Uint8Array(100).fill(1);
  const message = holding(
    bytesAt(10, (target, at, most) => {
      expect(target).toBe(memory);
      expect([at, most]).toEqual([22, 10]);
      return target.fill(7, at, at + 4) && 4;
    }),
  );
  expect(codec.encodeInto(message, memory, 20, 100)).toBe(6);
  expect(codec.decode(memory, 20, 26)).toMatchObject({ optionalBytes: new Uint8Array(4).fill(7) });
  expect(memory.subarray(26)).toEqual(new Uint8Array(74).fill(1));
  const own = holding(bytesAt(3, (target, at, most) => target.fill(7, at, at + most) && most));
  expect(codec.encode(own)).toHaveLength(5);
});

test("nothing is filled where it does not fit", () => {
  const one = sevens(10);
  expect(codec.encodeInto(holding(one.bytes), new Uint8Array(11), 0, 11)).toBe(-1);
  expect(one.times()).toBe(0);
  expect(codec.encodeInto(holding(one.bytes), new Uint8Array(12), 0, 12)).toBe(12);
  expect(one.times()).toBe(1);
});

test("bytes that went into memory are not there for a second message", () => {
  const { bytes } = sevens(10);
  codec.encodeInto(holding(bytes), new Uint8Array(50), 0, 50);
  const again = (): unknown => codec.encodeInto(holding(bytes), new Uint8Array(50), 0, 50);
  expect(again).toThrow("these bytes went into memory already");
  expect(() => bytes.length).toThrow("these bytes went into memory already");
});

test("a fill that moves the memory is refused", () => {
  const wasm = new WebAssembly.Memory({ initial: 1 });
  const message = holding(bytesInto(10, () => wasm.grow(1)));
  const encode = (): unknown => codec.encodeInto(message, new Uint8Array(wasm.buffer), 0, 1000);
  expect(encode).toThrow("expected the memory to stay where it is");
});

test("a length that is none is refused", () => {
  for (const length of [-1, 1.5, Number.NaN, Infinity]) {
    expect(() => bytesInto(length, () => 0)).toThrow("the length must be a whole number");
  }
});

test("whoever reads the bytes finds an ordinary array, and fill is called once", () => {
  const { bytes, times } = sevens(5, 3);
  expect(bytes[0]).toBe(7);
  expect(bytes).toHaveLength(3);
  expect(bytes.byteLength).toBe(3);
  expect(bytes[3]).toBeUndefined();
  expect([...bytes]).toEqual([7, 7, 7]);
  expect(bytes.slice(1)).toEqual(Uint8Array.of(7, 7));
  expect(bytes.subarray(0, 1)).toEqual(Uint8Array.of(7));
  expect(bytes.map((byte) => byte + 1)).toEqual(Uint8Array.of(8, 8, 8));
  expect(new Uint8Array(bytes)).toEqual(Uint8Array.of(7, 7, 7));
  expect(Buffer.from(bytes).toString("hex")).toBe("070707");
  expect(times()).toBe(1);
});

test("protobuf-es by itself takes them for what they are", () => {
  const real = holding(new Uint8Array(300).fill(7));
  expect(toBinary(Proto3, holding(sevens(300).bytes))).toEqual(toBinary(Proto3, real));
  const filled = holding(sevens(300).bytes);
  expect(() => toJson(Proto3, filled)).toThrow(Error);
  fillBytes(Proto3, filled);
  expect(toJson(Proto3, filled)).toEqual(toJson(Proto3, real));
});

describe("a message that is nothing but bytes", () => {
  const lone = codecOf(BytesValueSchema);
  const one = (value: Uint8Array): BytesValue => create(BytesValueSchema, { value });

  test.each([
    [0, 0],
    [1, 1],
    [127, 127],
    [128, 127],
    [16_384, 3],
    [16_384, 16_384],
    [70_000, 128],
    [70_000, 0],
  ])("%i bytes at most, %i filled: is what it would be with an array", (most, filled) => {
    const memory = new Uint8Array(most + 50).fill(1);
    const { bytes, times } = sevens(most, filled);
    const length = lone.encodeInto(one(bytes), memory, 5, memory.length);
    expect(fromBinary(BytesValueSchema, memory.subarray(5, 5 + length)).value).toEqual(
      new Uint8Array(filled).fill(7),
    );
    expect(memory.subarray(0, 5)).toEqual(new Uint8Array(5).fill(1));
    expect(times()).toBe(1);
  });

  test("is not filled where it does not fit, and is there for an array then", () => {
    const { bytes, times } = sevens(10);
    expect(lone.encodeInto(one(bytes), new Uint8Array(11), 0, 11)).toBe(-1);
    expect(times()).toBe(0);
    expect(lone.encode(one(bytes))).toHaveLength(12);
    expect(lone.encodeInto(one(bytes), new Uint8Array(12), 0, 12)).toBe(12);
    expect(times()).toBe(1);
  });

  test("keeps its unknown fields, and is refused for another type, or where the memory moves", () => {
    const strange = one(sevens(3).bytes);
    strange.$unknown = [{ no: 2, wireType: 0, data: Uint8Array.of(5) }];
    const memory = new Uint8Array(20);
    const length = lone.encodeInto(strange, memory, 0, 20);
    expect([...memory.subarray(0, length)]).toEqual([10, 3, 7, 7, 7, 16, 5]);
    const foreign = holding(sevens(3).bytes) as unknown as BytesValue;
    expect(() => lone.encodeInto(foreign, memory, 0, 20)).toThrow(CodecError);
    const wasm = new WebAssembly.Memory({ initial: 1 });
    const moving = one(bytesInto(10, () => wasm.grow(1)));
    expect(() => lone.encodeInto(moving, new Uint8Array(wasm.buffer), 0, 100)).toThrow(CodecError);
    const broken = one(bytesInto(10, () => 11));
    expect(() => lone.encodeInto(broken, memory, 0, 20)).toThrow("fill answered 11");
  });
});
