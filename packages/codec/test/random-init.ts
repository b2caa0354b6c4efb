import type { DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import type { Chance } from "./chance.ts";
import { randomMessage } from "./random-message.ts";

type Init = Record<string, unknown>;

/** What no field takes, or few. No typed array of another width: protobuf-es makes broken bytes of it, and we refuse it. */
const wrong: readonly ((chance: Chance) => unknown)[] = [
  () => null,
  () => undefined,
  () => "text",
  () => "17",
  () => 1.5,
  () => -7,
  () => 1n << 70n,
  () => true,
  () => [],
  () => [1, 2, 300],
  () => ({}),
  () => ({ case: "nothing of this name", value: 1 }),
  () => ({ $typeName: "some.other.Message" }),
  () => new Date(0),
  () => Symbol.iterator,
  () => () => 1,
  () => new Map(),
  (chance) => Object.fromEntries([[String(chance.below(9)), [chance.below(300)]]]),
];

/**
 * What a handler may answer in the place of a message: some of its fields, nested messages as objects without a type
 * name, bytes as an array of numbers; and now and then what its types forbid.
 */
export function randomInit(desc: DescMessage, chance: Chance): Init {
  const errs = chance.once(3);
  return initOf(desc, randomMessage(desc, chance), chance, errs) as Init;
}

/** The message as a program may have given it. */
function initOf(desc: DescMessage, value: unknown, chance: Chance, errs: boolean): unknown {
  if (typeof value !== "object" || value === null || chance.once(6)) return value;
  const message = value as Init;
  const init: Init = {};
  // In any order: the message has that of the descriptor all the same.
  for (const member of chance.once(2) ? desc.members : desc.members.toReversed()) {
    const name = member.localName;
    if (errs && chance.once(8)) init[name] = chance.pick(wrong)(chance);
    else if (chance.once(8)) init[name] = chance.pick([null, undefined]);
    else if (Object.hasOwn(message, name))
      init[name] = memberOf(member, message[name], chance, errs);
  }
  if (chance.once(10)) init["$unknown"] = message["$unknown"];
  if (chance.once(10)) init["no field of this name"] = 1;
  return init;
}

function memberOf(
  member: DescField | DescOneof,
  value: unknown,
  chance: Chance,
  errs: boolean,
): unknown {
  if (member.kind === "oneof") {
    const { case: name, value: chosen } = value as {
      readonly case?: string;
      readonly value?: unknown;
    };
    const field = member.fields.find(({ localName }) => localName === name);
    if (field === undefined) return chance.pick([value, undefined, { case: null }, {}]);
    return { case: name, value: one(field, chosen, chance, errs) };
  }
  if (member.fieldKind === "list")
    return (value as unknown[]).map((v) => one(member, v, chance, errs));
  if (member.fieldKind !== "map") return one(member, value, chance, errs);
  const record: Init = {};
  for (const key of Object.keys(value as Init)) {
    Object.defineProperty(record, key, {
      value: one(member, (value as Init)[key], chance, errs),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return record;
}

function one(field: DescField, value: unknown, chance: Chance, errs: boolean): unknown {
  if (errs && chance.once(12)) return chance.pick(wrong)(chance);
  if (value instanceof Uint8Array) return chance.once(3) ? [...value] : value;
  const { message } = field;
  const isMessage =
    message !== undefined && (value as Init | undefined)?.["$typeName"] === message.typeName;
  return isMessage ? initOf(message, value, chance, errs) : value;
}
