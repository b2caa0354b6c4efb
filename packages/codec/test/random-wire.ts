import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { Chance } from "./chance.ts";

/**
 * Bytes that look like a message, and need not be one: its fields with any wire type, in any order, repeated, with
 * values at the edges, lengths that are wrong, numbers longer than they need be.
 */
export function randomWire(desc: DescMessage, chance: Chance, depth = 0): number[] {
  const out: number[] = [];
  for (let rest = chance.below(depth === 0 ? 8 : 4); rest > 0; rest--) {
    const field = desc.fields.length === 0 || chance.once(6) ? undefined : chance.pick(desc.fields);
    const no = field?.number ?? chance.pick([0, 1, 15, 16, 1000, 536_870_911, chance.below(3000)]);
    const wireType = chance.once(8) ? chance.below(8) : usualType(field, chance);
    out.push(...varint(BigInt(no) * 8n + BigInt(wireType), chance));
    out.push(...valueOf(field, no, wireType, chance, depth));
  }
  return out;
}

function usualType(field: DescField | undefined, chance: Chance): number {
  if (field === undefined) return chance.below(6);
  if (field.message !== undefined) {
    return "delimitedEncoding" in field && field.delimitedEncoding ? 3 : 2;
  }
  if (field.fieldKind === "map" || (field.fieldKind === "list" && chance.once(2))) return 2;
  return [0, 1, 5, 0, 0, 0, 1, 5, 0, 2, 2, 2, 0, 0, 5, 1, 0, 0, 0][field.scalar ?? 0] ?? 0;
}

function valueOf(
  field: DescField | undefined,
  no: number,
  wireType: number,
  chance: Chance,
  depth: number,
): number[] {
  switch (wireType) {
    case 0:
      return varint(anyLong(chance), chance);
    case 1:
      return [...chance.bytes(8)];
    case 5:
      return [...chance.bytes(4)];
    case 2:
      return lengthOf(content(field, chance, depth), chance);
    case 3: {
      const body = field?.message === undefined ? [] : randomWire(field.message, chance, depth + 1);
      const end = chance.once(20) ? no + 1 : no;
      return chance.once(20) ? body : [...body, ...varint(BigInt(end) * 8n + 4n, chance)];
    }
    default:
      return [];
  }
}

function content(field: DescField | undefined, chance: Chance, depth: number): number[] {
  if (field?.fieldKind === "map") {
    const item = field.message === undefined ? [] : randomWire(field.message, chance, depth + 1);
    const entry = (no: number, type: number): number[] => {
      if (type === 2)
        return [no * 8 + 2, ...lengthOf(item.length > 0 ? item : text(chance), chance)];
      return [no * 8 + type, ...valueOf(undefined, no, type, chance, depth)];
    };
    const parts: number[] = [];
    for (let rest = chance.below(4); rest > 0; rest--) {
      parts.push(...entry(chance.pick([1, 1, 2, 2, 3]), chance.pick([0, 0, 1, 2, 2, 5])));
    }
    return parts;
  }
  if (field?.message !== undefined && depth < 6)
    return randomWire(field.message, chance, depth + 1);
  if (field === undefined || field.scalar === undefined || ![9, 12].includes(field.scalar)) {
    return Array.from({ length: chance.below(4) }, () => varint(anyLong(chance), chance)).flat();
  }
  return text(chance);
}

/** Text, or nearly. */
function text(chance: Chance): number[] {
  const letters = Array.from({ length: chance.size() }, () => 97 + chance.below(26));
  if (chance.once(4)) letters.splice(chance.below(letters.length + 1), 0, ...broken(chance));
  return letters;
}

function broken(chance: Chance): number[] {
  return chance.pick([
    [0xc3, 0xa9],
    [0xf0, 0x9f, 0x98, 0x80],
    [0xef, 0xbf, 0xbd],
    [0xef, 0xbb, 0xbf],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xff],
    [0x80],
    [0xe2, 0x82],
    [0xf0, 0x9f],
  ]);
}

function lengthOf(body: number[], chance: Chance): number[] {
  const wrong = chance.once(30) ? chance.pick([-1, 1, 5, 2 ** 31, 2 ** 32 - 1 - body.length]) : 0;
  return [...varint(BigInt(Math.max(0, body.length + wrong)), chance), ...body];
}

/** Sometimes with more bytes than it takes. */
function varint(value: bigint, chance: Chance): number[] {
  const out: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    out.push(Number(rest & 127n));
    if (rest < 128n) break;
  }
  if (chance.once(30)) for (let rest = chance.below(11); rest > 0; rest--) out.push(0);
  return out.map((byte, at) => (at < out.length - 1 ? byte | 128 : byte));
}

function anyLong(chance: Chance): bigint {
  const any = (BigInt(chance.bits()) << 32n) | BigInt(chance.bits());
  return chance.pick([0n, 1n, 2n, 5n, 6n, 7n, -1n, 127n, 128n, 300n, 1n << 31n, 1n << 35n, any]);
}

/** Bytes with something done to them. */
export function mutate(bytes: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  const out = [...bytes];
  for (let rest = 1 + chance.below(3); rest > 0; rest--) {
    const at = chance.below(out.length + 1);
    switch (chance.below(6)) {
      case 0:
        out.splice(at);
        break;
      case 1:
        if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << chance.below(8));
        break;
      case 2:
        out.splice(at, chance.below(4));
        break;
      case 3:
        out.splice(at, 0, ...chance.bytes(1 + chance.below(4)));
        break;
      case 4:
        if (at < out.length) out[at] = chance.pick([0, 1, 127, 128, 255]);
        break;
      default:
        // One message after the other is both merged.
        out.push(...other);
    }
  }
  return Uint8Array.from(out);
}
