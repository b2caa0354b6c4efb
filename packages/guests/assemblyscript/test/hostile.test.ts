import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { beforeAll, expect, test } from "vitest";
import { DishSchema } from "./gen/kitchen/v1/kitchen_pb.ts";
import { LegacySchema } from "./gen/pantry/v1/legacy_pb.ts";
import { startGuest } from "./guests.ts";
import type { PlainHost } from "./plain-host.ts";
import { sampleDish } from "./sample-dish.ts";
import { expectedOf } from "./wire-oracle.ts";

const COOK = "kitchen.v1.KitchenService/Cook";
const KEEP = "pantry.v1.PantryService/KeepLegacy";
const INVALID_ARGUMENT = 3;

let kitchen: PlainHost;
let pantry: PlainHost;

beforeAll(async () => {
  kitchen = await startGuest("kitchen");
  pantry = await startGuest("pantry");
});

/** What came back, or "malformed"; anything else fails the test, a trap most of all. */
async function verdict(
  host: PlainHost,
  method: string,
  bytes: Uint8Array,
): Promise<Uint8Array | "malformed"> {
  const answer = await host.serve(method, bytes);
  if (answer instanceof Uint8Array) return answer;
  expect(answer.code).toBe(INVALID_ARGUMENT);
  return "malformed";
}

/** Numbers that look random and are the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

/** A mutation of some bytes: flips, cuts, doublings, long lengths. */
function mutate(bytes: Uint8Array, next: () => number): Uint8Array {
  const out = [...bytes];
  for (let times = 1 + (next() % 2); times > 0; times--) {
    const at = next() % (out.length + 1);
    const kind = next() % 12;
    if (kind === 0) out[at % out.length] = next() & 255;
    else if (kind === 1) out.splice(at, 1 + (next() % 8));
    else if (kind === 2) out.splice(at, 0, next() & 255);
    else if (kind === 3) out.splice(at, 0, ...out.slice(at, at + (next() % 40)));
    else if (kind === 4) out.splice(at, 0, 0xff, 0xff, 0xff, 0xff, next() & 255);
    else if (kind === 5) out.length = at;
    else out[at % out.length] = (out[at % out.length] ?? 0) ^ (1 << (next() & 7));
    if (out.length === 0) out.push(0);
  }
  return Uint8Array.from(out);
}

test("4,000 mutated messages: never a trap, and the same verdict and bytes as protobuf-es", async () => {
  const random = numbers(20_261_123);
  const next = (): number => random.next().value;
  const samples = [
    toBinary(DishSchema, sampleDish()),
    toBinary(
      DishSchema,
      create(DishSchema, { fString: "soup", rInt32: [1, 2, 3], mString: { a: "b" } }),
    ),
    toBinary(
      DishSchema,
      create(DishSchema, {
        choice: { case: "cDish", value: { fDish: { fBytes: new Uint8Array(9) } } },
      }),
    ),
  ];
  let malformed = 0;
  let compared = 0;
  for (let round = 0; round < 4000; round++) {
    const bytes = mutate(samples[round % samples.length] ?? new Uint8Array(), next);
    const ours = await verdict(kitchen, COOK, bytes);
    const theirs = expectedOf(DishSchema, bytes);
    if (theirs === undefined) continue;
    compared++;
    if (ours === "malformed") malformed++;
    // Compared as messages: protobuf-es writes maps in another order.
    if (ours === "malformed" || theirs === "malformed")
      expect([round, ours]).toEqual([round, theirs]);
    else expect(fromBinary(DishSchema, ours)).toEqual(fromBinary(DishSchema, theirs));
  }
  // Neither all good nor all bad: the mutations reach both.
  expect(compared).toBeGreaterThan(3000);
  expect(malformed).toBeGreaterThan(1000);
  expect(compared - malformed).toBeGreaterThan(500);
});

test("2,000 mutated proto2 messages never trap", async () => {
  const random = numbers(7);
  const next = (): number => random.next().value;
  const sample = toBinary(
    LegacySchema,
    create(LegacySchema, {
      must: 1,
      jar: { inside: { must: 2 } },
      tin: [{ what: "x" }],
      labels: { a: 3 },
      packedShelves: [3, 7],
    }),
  );
  for (let round = 0; round < 2000; round++) {
    expect(await verdict(pantry, KEEP, mutate(sample, next))).toBeDefined();
  }
});

test("a message cut off anywhere is malformed or shorter, never a trap", async () => {
  const bytes = toBinary(DishSchema, sampleDish());
  for (let length = 0; length < bytes.length; length += 3) {
    const cut = bytes.slice(0, length);
    const ours = await verdict(kitchen, COOK, cut);
    expect([length, ours === "malformed"]).toEqual([
      length,
      expectedOf(DishSchema, cut) === "malformed",
    ]);
  }
});

test.each([
  ["a length beyond the end", [0x4a, 5, 1]],
  ["a length of 4 GiB", [0x4a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ["a length of 16 EiB", [0x4a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
  ["a varint of 11 bytes", [0x28, ...Array.from({ length: 10 }, () => 0x80), 1]],
  ["field number 0", [0, 1]],
  ["a tag above 32 bits", [0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0]],
  ["the end of a group that did not start", [0x0c]],
  ["a group that does not end", [0x0b, 8, 1]],
  ["a group that ends as another one", [0x0b, 0x14]],
  ["wire type 6", [0x0e]],
  ["wire type 7", [0x0f]],
  ["packed doubles of 7 bytes", [0xfa, 1, 7, 0, 0, 0, 0, 0, 0, 0]],
  ["a map entry that is cut off", [0xea, 3, 4, 10, 9, 65, 66]],
])("%s is malformed", async (_, bytes) => {
  expect(await verdict(kitchen, COOK, Uint8Array.from(bytes))).toBe("malformed");
});

test.each([
  ["a continuation byte alone", [0x80]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["an overlong of 3 bytes", [0xe0, 0x80, 0xaf]],
  ["an overlong of 4 bytes", [0xf0, 0x80, 0x80, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ["0xFF", [0xff]],
  ["cut off after 1 of 2", [0xc3]],
  ["cut off after 2 of 3", [0xe2, 0x82]],
  ["cut off after 3 of 4", [0xf0, 0x9f, 0x92]],
  ["a wrong third byte", [0xe2, 0x82, 0x41]],
  ["after eight good bytes", [65, 65, 65, 65, 65, 65, 65, 65, 0xff]],
])("a string that is not UTF-8 (%s) is malformed", async (_, text) => {
  expect(await verdict(kitchen, COOK, Uint8Array.of(0x4a, text.length, ...text))).toBe("malformed");
});

test("all UTF-8 at the edges of its ranges comes back", async () => {
  const text = "\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}";
  const bytes = toBinary(
    DishSchema,
    create(DishSchema, { fString: text, rString: [text.repeat(50)] }),
  );
  expect(await verdict(kitchen, COOK, bytes)).toEqual(bytes);
});

/** A message inside a message inside ..., `depth` deep. */
function nested(depth: number, inner: number[] = []): Uint8Array {
  let bytes = inner;
  for (let level = 1; level < depth; level++) {
    const length =
      bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
    bytes = [0x9a, 1, ...length, ...bytes];
  }
  return Uint8Array.from(bytes);
}

test("messages are nested 100 deep and no deeper", async () => {
  expect(await verdict(kitchen, COOK, nested(101))).toEqual(nested(101));
  expect(await verdict(kitchen, COOK, nested(102))).toBe("malformed");
});

test("a million opening groups are malformed, not a stack overflow", async () => {
  expect(await verdict(kitchen, COOK, new Uint8Array(1 << 20).fill(0x0b))).toBe("malformed");
});

test("a megabyte of small unknown fields takes linear time and comes back", async () => {
  const bytes = new Uint8Array(1 << 20);
  for (let at = 0; at + 5 <= bytes.length; at += 5) bytes.set([0xd0, 0x0f, 1, 0x28, 1], at);
  const whole = bytes.slice(0, bytes.length - (bytes.length % 5));
  const back = await verdict(kitchen, COOK, whole);
  expect(back.length).toBe(2 + (whole.length / 5) * 3);
});

test("4 MiB of empty messages are malformed before they empty the memory", async () => {
  const host = await startGuest("kitchen");
  const bytes = new Uint8Array(4 << 20);
  // r_dish: 2 bytes of tag, a length of 0; each one an object of hundreds of bytes.
  for (let at = 0; at + 3 <= bytes.length; at += 3) bytes.set([0x8a, 3, 0], at);
  const whole = bytes.slice(0, bytes.length - (bytes.length % 3));
  expect(await verdict(host, COOK, whole)).toBe("malformed");
  expect(host.memory.length).toBeLessThan(200 << 20);
  // A tenth of that is a message.
  expect(await verdict(host, COOK, whole.slice(0, 300_000))).toHaveLength(300_000);
});

test("memory stays where it is through 5,000 calls", async () => {
  const bytes = toBinary(DishSchema, sampleDish());
  for (let round = 0; round < 500; round++) await verdict(kitchen, COOK, bytes);
  const before = kitchen.memory.length;
  for (let round = 0; round < 5000; round++) await verdict(kitchen, COOK, bytes);
  expect(kitchen.memory.length).toBe(before);
});
