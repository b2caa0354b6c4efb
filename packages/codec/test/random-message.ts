import {
  create,
  type DescField,
  type DescMessage,
  type JsonValue,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { REQUIRED } from "../src/field-kind.ts";
import type { Chance } from "./chance.ts";
import { randomScalar } from "./random-scalar.ts";

type Loose = Message & Record<string, unknown>;

/** A message with random fields set to random values, as a handler could have made it. */
export function randomMessage(desc: DescMessage, chance: Chance, depth = 0): Message {
  const message = create(desc) as Loose;
  const density = chance.pick([1, 2, 4, 12]);
  for (const field of desc.fields) {
    if (!chance.once(density) || (field.message !== undefined && depth > 3)) {
      // A required field that is missing is refused: rarely enough that others are tried too.
      const presence: number = field.presence;
      if (presence !== REQUIRED || chance.once(200) || field.message !== undefined) continue;
    }
    setField(message, field, chance, depth);
  }
  if (chance.once(6)) message.$unknown = randomUnknown(desc, chance);
  return message;
}

function setField(message: Loose, field: DescField, chance: Chance, depth: number): void {
  const value = (): unknown => randomValue(field, chance, depth);
  if (field.oneof !== undefined) {
    message[field.oneof.localName] = { case: field.localName, value: value() };
  } else if (field.fieldKind === "list") {
    message[field.localName] = Array.from({ length: count(field, chance) }, value);
  } else if (field.fieldKind === "map") {
    const record: Record<string, unknown> = {};
    for (let rest = count(field, chance); rest > 0; rest--) {
      const key = chance.once(20) ? "__proto__" : String(randomScalar(field.mapKey, chance));
      const usable =
        field.mapKey === ScalarType.STRING ? key : String(randomScalar(field.mapKey, chance));
      Object.defineProperty(record, usable, {
        value: value(),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    message[field.localName] = record;
  } else message[field.localName] = value();
}

function count(field: DescField, chance: Chance): number {
  return field.message === undefined && chance.once(10) ? chance.below(200) : chance.below(4);
}

function randomValue(field: DescField, chance: Chance, depth: number): unknown {
  if (field.message !== undefined) return randomChild(field, field.message, chance, depth);
  if (field.enum !== undefined) {
    return chance.once(4)
      ? randomScalar(ScalarType.INT32, chance)
      : chance.pick(field.enum.values).number;
  }
  const scalar = field.scalar ?? ScalarType.INT32;
  const value = randomScalar(scalar, chance);
  return "longAsString" in field && field.longAsString && typeof value === "bigint"
    ? String(value)
    : value;
}

function randomChild(field: DescField, desc: DescMessage, chance: Chance, depth: number): unknown {
  const { typeName } = desc;
  if (typeName === "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value") {
    return Object.fromEntries(
      Array.from({ length: chance.below(4) }, () => [
        String(randomScalar(ScalarType.STRING, chance)),
        randomJson(chance, depth),
      ]),
    );
  }
  const message = randomMessage(desc, chance, depth + 1);
  const singular = field.fieldKind === "message" && field.oneof === undefined;
  const wrapper = /^google\.protobuf\.\w+Value$/.test(typeName) && "value" in message;
  return singular && wrapper ? message.value : message;
}

function randomJson(chance: Chance, depth: number): JsonValue {
  switch (chance.below(depth > 3 ? 4 : 6)) {
    case 0:
      return null;
    case 1:
      return chance.once(2);
    case 2:
      return randomScalar(ScalarType.DOUBLE, chance) as number;
    case 3:
      return randomScalar(ScalarType.STRING, chance) as string;
    case 4:
      return Array.from({ length: chance.below(4) }, () => randomJson(chance, depth + 1));
    default:
      return { key: randomJson(chance, depth + 1), ["__proto__"]: 1 };
  }
}

function randomUnknown(desc: DescMessage, chance: Chance): Message["$unknown"] {
  const taken = new Set(desc.fields.map(({ number }) => number));
  return Array.from({ length: 1 + chance.below(3) }, () => {
    let no = 1 + chance.below(chance.once(2) ? 2000 : 536_870_911);
    while (taken.has(no)) no++;
    const [wireType, data] = chance.pick<[number, number[]]>([
      [0, [0]],
      [0, [255, 255, 3]],
      [1, [1, 2, 3, 4, 5, 6, 7, 8]],
      [2, [0]],
      [2, [3, 1, 2, 3]],
      [2, [100, ...Array.from({ length: 100 }, () => 7)]],
      [5, [1, 2, 3, 4]],
    ]);
    return { no, wireType, data: Uint8Array.from(data) };
  });
}
