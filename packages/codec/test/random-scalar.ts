import { ScalarType } from "@bufbuild/protobuf";
import type { Chance } from "./chance.ts";

const texts: readonly string[] = [
  "",
  "a",
  "plain text",
  "a text of more than sixteen characters",
  "exactly 24 characters ok",
  "grüße",
  "日本語のテキスト",
  "😀",
  "half \ud83d of a pair",
  "\udc00",
  "\ufeffBOM",
  "\ufffd",
  "\u0000",
  "é".repeat(64),
  "a".repeat(127),
  "a".repeat(128),
  "\u07ff\u0800\uffff",
  "__proto__",
];

/** A value of a scalar type that protobuf-es takes; now and then at an edge. */
export function randomScalar(type: ScalarType, chance: Chance): unknown {
  switch (type) {
    case ScalarType.STRING:
      return randomText(chance);
    case ScalarType.BYTES:
      return chance.bytes(chance.once(3) ? chance.size() : chance.below(4));
    case ScalarType.BOOL:
      return chance.once(2);
    case ScalarType.DOUBLE:
      return chance.pick([
        0,
        -0,
        1.5,
        NaN,
        Infinity,
        -Infinity,
        5e-324,
        1.7e308,
        chance.bits() / 7,
      ]);
    case ScalarType.FLOAT:
      return Math.fround(chance.pick([0, -0, 1.5, NaN, Infinity, -1e-45, 3e38, chance.bits() / 7]));
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return number(chance) | 0;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return number(chance) >>> 0;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return BigInt.asUintN(64, long(chance));
    default:
      return BigInt.asIntN(64, long(chance));
  }
}

function randomText(chance: Chance): string {
  if (chance.once(3)) return chance.pick(texts);
  const alphabet = chance.pick([95, 95, 95, 400, 60_000]);
  const length = chance.size();
  let text = "";
  for (let at = 0; at < length; at++) text += String.fromCharCode(32 + chance.below(alphabet));
  return text;
}

function number(chance: Chance): number {
  return chance.pick([
    0,
    1,
    127,
    128,
    16_383,
    16_384,
    -1,
    -(2 ** 31),
    2 ** 31 - 1,
    2 ** 32 - 1,
    chance.bits(),
  ]);
}

function long(chance: Chance): bigint {
  const any = (BigInt(chance.bits()) << 32n) | BigInt(chance.bits());
  const edge = 1n << BigInt(chance.below(64));
  return chance.pick([
    0n,
    1n,
    -1n,
    127n,
    128n,
    edge,
    edge - 1n,
    -edge,
    any,
    any >> BigInt(chance.below(64)),
  ]);
}
