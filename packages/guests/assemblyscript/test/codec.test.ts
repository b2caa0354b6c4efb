import { create, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { beforeAll, expect, test } from "vitest";
import type { Dish } from "./gen/kitchen/v1/kitchen_pb.ts";
import { DishSchema, Taste } from "./gen/kitchen/v1/kitchen_pb.ts";
import { NamesSchema } from "./gen/kitchen/v1/names_pb.ts";
import { Legacy_Shelf, LegacySchema } from "./gen/pantry/v1/legacy_pb.ts";
import { Closed, ModernSchema } from "./gen/pantry/v1/pantry_pb.ts";
import { startGuest } from "./guests.ts";
import type { PlainHost } from "./plain-host.ts";
import { sampleDish } from "./sample-dish.ts";

let kitchen: PlainHost;
let pantry: PlainHost;

beforeAll(async () => {
  kitchen = await startGuest("kitchen");
  pantry = await startGuest("pantry");
});

/** What a guest makes of bytes: decoded, encoded again. */
async function through(host: PlainHost, method: string, bytes: Uint8Array): Promise<Uint8Array> {
  const answer = await host.serve(method, bytes);
  if (answer instanceof Uint8Array) return answer;
  throw new Error(`code ${answer.code}: ${new TextDecoder().decode(answer.status)}`);
}

const cook = (bytes: Uint8Array): Promise<Uint8Array> =>
  through(kitchen, "kitchen.v1.KitchenService/Cook", bytes);
const keepLegacy = (bytes: Uint8Array): Promise<Uint8Array> =>
  through(pantry, "pantry.v1.PantryService/KeepLegacy", bytes);
const keepModern = (bytes: Uint8Array): Promise<Uint8Array> =>
  through(pantry, "pantry.v1.PantryService/KeepModern", bytes);

test("a message with every field set comes back equal", async () => {
  const dish = sampleDish();
  const back = fromBinary(DishSchema, await cook(toBinary(DishSchema, dish)));
  expect(back).toEqual(dish);
  expect(Object.is(back.fDouble, -0)).toBe(true);
});

test("an empty message comes back as no bytes", async () => {
  expect(await cook(new Uint8Array())).toEqual(new Uint8Array());
});

test("an optional field that is set to its zero value comes back set", async () => {
  const bytes = toBinary(DishSchema, create(DishSchema, { oInt32: 0, oString: "", oBool: false }));
  expect(await cook(bytes)).toEqual(bytes);
});

test.each<[string, Dish["choice"]]>([
  ["a zero number", { case: "cInt32", value: 0 }],
  ["an empty string", { case: "cString", value: "" }],
  ["an empty message", { case: "cDish", value: create(DishSchema) }],
  ["a zero enum", { case: "cTaste", value: Taste.UNSPECIFIED }],
  ["empty bytes", { case: "cBytes", value: new Uint8Array() }],
  ["false", { case: "cBool", value: false }],
])("a oneof that is set to %s comes back set", async (_, choice) => {
  const dish = create(DishSchema, { choice });
  expect(
    equals(DishSchema, fromBinary(DishSchema, await cook(toBinary(DishSchema, dish))), dish),
  ).toBe(true);
});

test("of a oneof that came twice the last one counts, and messages of one case are merged", async () => {
  const number = toBinary(DishSchema, create(DishSchema, { choice: { case: "cInt32", value: 5 } }));
  const part = (init: MessageInitShape<typeof DishSchema>): Uint8Array =>
    toBinary(
      DishSchema,
      create(DishSchema, { choice: { case: "cDish", value: create(DishSchema, init) } }),
    );
  const both = Uint8Array.of(
    ...part({ fInt32: 1 }),
    ...number,
    ...part({ fInt32: 2 }),
    ...part({ fBool: true }),
  );
  const { choice } = fromBinary(DishSchema, await cook(both));
  expect(choice).toEqual({ case: "cDish", value: create(DishSchema, { fInt32: 2, fBool: true }) });
});

test("repeated numbers are read packed and unpacked, and written as the .proto file says", async () => {
  const unpacked = new BinaryWriter()
    .tag(35, WireType.Varint)
    .int32(7)
    .tag(35, WireType.Varint)
    .int32(-1);
  const packed = new BinaryWriter()
    .tag(50, WireType.LengthDelimited)
    .fork()
    .int32(7)
    .int32(-1)
    .join();
  const bytes = await cook(Uint8Array.of(...unpacked.finish(), ...packed.finish()));
  const expected = create(DishSchema, { rInt32: [7, -1], rUnpacked: [7, -1] });
  expect(bytes).toEqual(toBinary(DishSchema, expected));
});

test("unknown fields of every wire type come back after the known ones, in order and nested", async () => {
  const unknown = new BinaryWriter()
    .tag(1000, WireType.Varint)
    .uint64(2n ** 64n - 1n)
    .tag(1001, WireType.Bit64)
    .fixed64(5n)
    .tag(1002, WireType.LengthDelimited)
    .string("kept")
    .tag(1003, WireType.StartGroup)
    .tag(1, WireType.Varint)
    .int32(1)
    .tag(1003, WireType.EndGroup)
    .tag(1004, WireType.Bit32)
    .fixed32(9)
    .tag(1000, WireType.Varint)
    .int32(0)
    .finish();
  const known = Uint8Array.of(40, 1);
  const nested = new BinaryWriter().tag(19, WireType.LengthDelimited).bytes(unknown).finish();
  const dish = await cook(Uint8Array.of(...unknown, ...nested, ...known));
  expect(dish).toEqual(Uint8Array.of(...known, ...nested, ...unknown));
});

test("a known field with another wire type is an unknown field", async () => {
  const bytes = new BinaryWriter()
    .tag(9, WireType.Varint)
    .int32(5)
    .tag(5, WireType.Bit32)
    .fixed32(1)
    .finish();
  expect(await cook(bytes)).toEqual(bytes);
});

test("names that AssemblyScript needs itself do not stop a message", async () => {
  const names = create(NamesSchema, {
    constructor$: 1,
    abstract: "a",
    default: 0,
    encode: 2,
    unknownFields: 3,
    hasFoo: 9,
    kind: { case: "static", value: 3 },
    map: { map: { a: { map: { b: {} } } } },
    message: { message: "m" },
    array: [{ array: [{}] }],
    result: { ok: { message: "r" } },
    r: { w: 1 },
    delete: 1,
    get: 2,
    this: 3,
  });
  const bytes = await through(
    pantry,
    "names.v1.NamesService/Constructor",
    toBinary(NamesSchema, names),
  );
  expect(fromBinary(NamesSchema, bytes)).toEqual(names);
});

test("presence can be asked for and taken away", async () => {
  const names = toBinary(NamesSchema, create(NamesSchema, { foo: 0 }));
  const back = fromBinary(NamesSchema, await through(pantry, "names.v1.NamesService/Set", names));
  expect(back).toEqual(create(NamesSchema, { hasFoo: 1 }));
});

test("proto2: required, groups, closed enums and extensions come back equal", async () => {
  const legacy = create(LegacySchema, {
    must: 0,
    count: 0,
    label: "",
    raw: new Uint8Array(),
    far: 0,
    on: false,
    shelf: Legacy_Shelf.FLOOR,
    shelves: [Legacy_Shelf.TOP, Legacy_Shelf.FLOOR],
    packedShelves: [Legacy_Shelf.FLOOR],
    labels: { a: Legacy_Shelf.FLOOR },
    jar: { grams: 5, inside: { must: 1, jar: {} } },
    tin: [{ what: "x" }, {}],
    unpacked: [1, 2],
    either: { case: "one", value: Legacy_Shelf.TOP },
    least: -(2 ** 31),
  });
  const extension = new BinaryWriter().tag(150, WireType.LengthDelimited).string("ext").finish();
  const bytes = Uint8Array.of(...toBinary(LegacySchema, legacy), ...extension);
  expect(await keepLegacy(bytes)).toEqual(bytes);
});

test("proto2: a value that a closed enum does not list becomes an unknown field", async () => {
  const entry = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string("k")
    .tag(2, WireType.Varint)
    .int32(99);
  const bytes = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int32(1)
    .tag(9, WireType.Varint)
    .int32(99)
    .tag(10, WireType.Varint)
    .int32(3)
    .tag(10, WireType.Varint)
    .int32(98)
    .tag(11, WireType.LengthDelimited)
    .fork()
    .int32(97)
    .int32(7)
    .join()
    .tag(12, WireType.LengthDelimited)
    .bytes(entry.finish())
    .finish();
  const understood = [8, 1, 80, 3, 90, 1, 7];
  const unknown = [72, 99, 80, 98, 88, 97, 98, 5, 10, 1, 107, 16, 99];
  expect([...(await keepLegacy(bytes))]).toEqual([...understood, ...unknown]);
});

test("proto2: fields have their defaults, and get them back when cleared", async () => {
  const request = toBinary(ModernSchema, create(ModernSchema, { needed: 1 }));
  const { text } = fromBinary(
    ModernSchema,
    await through(pantry, "pantry.v1.PantryService/Defaults", request),
  );
  expect(text).toBe(
    '-41|a "label"\n|1,255,122|Infinity|-9223372036854775808|18446744073709551615|true|3|-0.5|-2147483648|false',
  );
});

test("editions: presence, delimited messages, expanded lists and closed enums come back equal", async () => {
  const modern = create(ModernSchema, {
    text: "",
    plain: "p",
    delimited: { needed: 2, delimited: { needed: 3 } },
    many: [{ needed: 4 }],
    expanded: [1, 2],
    closed: Closed.ONE,
    needed: 0,
  });
  const bytes = toBinary(ModernSchema, modern);
  expect(await keepModern(bytes)).toEqual(bytes);
});

test("a message without a required field is malformed, also inside another one", async () => {
  const missing = [new Uint8Array(), Uint8Array.of(8, 1, 0x6b, 0x12, 0, 0x6c)];
  for (const bytes of missing) {
    const answer = await pantry.serve("pantry.v1.PantryService/KeepLegacy", bytes);
    expect(answer).toMatchObject({ code: 3 });
  }
});
