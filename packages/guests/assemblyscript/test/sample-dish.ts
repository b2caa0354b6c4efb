import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { Dish } from "./gen/kitchen/v1/kitchen_pb.ts";
import { Dish_Side_Size, DishSchema, Taste } from "./gen/kitchen/v1/kitchen_pb.ts";
import { NamesSchema } from "./gen/kitchen/v1/names_pb.ts";

// An enum of proto3 is open: numbers that it does not list are values too.
const unlisted = 77 as number as Taste;

/** A message with every field set, to values at the ends of their ranges where they have ends. */
export function sampleDish(): Dish {
  const bytes = Uint8Array.from({ length: 300 }, (_, at) => at & 255);
  return create(DishSchema, {
    fDouble: -0,
    fFloat: 3.5,
    fInt64: -(2n ** 63n),
    fUint64: 2n ** 64n - 1n,
    fInt32: -(2 ** 31),
    fFixed64: 2n ** 63n,
    fFixed32: 2 ** 32 - 1,
    fBool: true,
    fString: "ünï¢ödé 💧 \u0000 日本 plain ascii that is longer than eight",
    fBytes: bytes,
    fUint32: 2 ** 32 - 1,
    fTaste: Taste.SOUR,
    fSfixed32: -1,
    fSfixed64: -(2n ** 63n),
    fSint32: -(2 ** 31),
    fSint64: -(2n ** 63n),
    fDish: { fDish: { fDish: { fString: "deep" } } },
    fSide: { name: "rice", size: Dish_Side_Size.LARGE },
    oInt32: 0,
    oString: "",
    oBytes: new Uint8Array(),
    oTaste: Taste.UNSPECIFIED,
    oDouble: 0,
    oBool: false,
    rDouble: [0, -0, Infinity, -Infinity, 5e-324],
    rFloat: [0, 1.5, -Infinity],
    rInt64: [0n, -1n, 2n ** 63n - 1n],
    rUint64: [0n, 127n, 128n, 2n ** 64n - 1n],
    rInt32: [0, -1, 2 ** 31 - 1, 300],
    rFixed64: [1n],
    rFixed32: [1, 2],
    rBool: [true, false, true],
    rString: ["", "a", "💧"],
    rBytes: [new Uint8Array(), bytes],
    rUint32: [1, 2 ** 32 - 1],
    rTaste: [Taste.SWEET, unlisted, Taste.SOUR],
    rSfixed32: [-1],
    rSfixed64: [-1n],
    rSint32: [-1, 1, 2 ** 31 - 1],
    rSint64: [-1n, 1n, 2n ** 63n - 1n],
    rDish: [{}, { fInt32: 1 }, { rDish: [{ fString: "x" }] }],
    rUnpacked: [0, 1, -1],
    mString: { "": "empty", key: "", "💧": "drop" },
    mInt32: { [-1]: { fInt32: 9 }, 0: {} },
    mInt64: { "-9223372036854775808": Taste.SWEET, "0": unlisted },
    mBool: { true: bytes, false: new Uint8Array() },
    mUint32: { 4294967295: -0 },
    mUint64: { "18446744073709551615": 1.5 },
    mSint32: { [-5]: -5n },
    mFixed64: { "1": 1 },
    mSfixed32: { [-2]: true },
    choice: { case: "cDish", value: { fString: "chosen" } },
    wTimestamp: create(TimestampSchema, { seconds: -1n, nanos: 5 }),
    wString: "wrapped",
    nNames: create(NamesSchema, {
      constructor$: 1,
      default: 0,
      get: 5,
      kind: { case: "null", value: "" },
    }),
    far: 1,
  });
}
