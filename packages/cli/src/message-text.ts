import { type DescEnum, type DescField, type Message, ScalarType } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import type { DescMessage } from "@bufbuild/protobuf";

const MOST_LETTERS = 200;
const MOST_TEXT = 64;
const MOST_BYTES = 24;
const MOST_ITEMS = 8;

/** What JSON can hold. */
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * A message on one line, for people: JSON with the names of the .proto file, bytes as text where they are text, numbers as
 * numbers. What is long is cut, and says how long it was.
 */
export function messageText(desc: DescMessage, message: Message): string {
  const json = JSON.stringify(showMessage(reflect(desc, message)));
  return json.length > MOST_LETTERS ? `${json.slice(0, MOST_LETTERS)}…` : json;
}

function showMessage(message: ReflectMessage): Json {
  const fields = message.fields.filter((field) => message.isSet(field));
  return Object.fromEntries(
    fields.map((field): [string, Json] => [field.name, showField(message, field)]),
  );
}

function showField(message: ReflectMessage, field: DescField): Json {
  switch (field.fieldKind) {
    case "message":
      return showMessage(message.get(field));
    case "enum":
      return showEnum(field.enum, message.get(field));
    case "scalar":
      return showScalar(field.scalar, message.get(field));
    case "list": {
      const list = [...message.get(field)];
      const items = list.slice(0, MOST_ITEMS).map((item) => showItem(field, item));
      return list.length > MOST_ITEMS ? [...items, `… ${list.length} in all`] : items;
    }
    default: {
      const entries = [...message.get(field)];
      const items = entries
        .slice(0, MOST_ITEMS)
        .map(([key, value]): [string, Json] => [cut(String(key)), showItem(field, value)]);
      return Object.fromEntries(
        entries.length > MOST_ITEMS ? [...items, ["…", `${entries.length} in all`]] : items,
      );
    }
  }
}

function showItem(field: DescField & { fieldKind: "list" | "map" }, value: unknown): Json {
  if (field.message !== undefined) return showMessage(value as ReflectMessage);
  if (field.enum !== undefined) return showEnum(field.enum, value as number);
  return showScalar(field.scalar ?? ScalarType.STRING, value);
}

function showEnum(desc: DescEnum, value: number): Json {
  return desc.value[value]?.name ?? value;
}

function showScalar(type: ScalarType, value: unknown): Json {
  if (value instanceof Uint8Array) return showBytes(value);
  if (typeof value === "bigint")
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "string") return type === ScalarType.STRING ? cut(value) : value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  return value as boolean;
}

function showBytes(bytes: Uint8Array): string {
  const head = bytes.subarray(0, MOST_BYTES);
  // The cut may fall within a character: the rest of it is not shown.
  const text = new TextDecoder().decode(head, { stream: bytes.length > MOST_BYTES });
  const shown =
    /^[\P{C}\n\r\t]*$/u.test(text) && !text.includes("\ufffd")
      ? text
      : `0x${Buffer.from(head).toString("hex")}`;
  return bytes.length > MOST_BYTES ? `${shown}… ${bytes.length} bytes` : shown;
}

function cut(text: string): string {
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}… ${text.length} characters` : text;
}
