import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { anyInPlaceBytes, InPlaceBytes } from "./bytes-into.ts";

/**
 * Puts arrays where a message holds a `bytesInto`, and throws what its `fill` throws. For whoever hands a message to
 * something else than a codec: protobuf-es's `toBinary` takes a `bytesInto`, though slowly, but its `toJson` does not.
 */
export function fillBytes(desc: DescMessage, message: unknown): void {
  // Most programs never make one: nobody need look.
  if (anyInPlaceBytes()) fillMessage(desc, message, 0);
}

/** No message that can be encoded is nested as deep; one that holds itself is. */
const DEEPEST = 1000;

function fillMessage(desc: DescMessage, message: unknown, depth: number): void {
  if (!isRecord(message) || depth > DEEPEST) return;
  for (const field of desc.fields) fillField(field, message, depth);
}

function fillField(field: DescField, message: Record<string, unknown>, depth: number): void {
  const child = field.message;
  if (child === undefined && field.scalar !== ScalarType.BYTES) return;
  const [holder, key] =
    field.oneof === undefined
      ? [message, field.localName]
      : [caseOf(message[field.oneof.localName], field.localName), "value"];
  if (holder === undefined) return;
  const value = holder[key];
  if (field.fieldKind !== "list" && field.fieldKind !== "map") fillValue(child, holder, key, depth);
  else if (isRecord(value))
    for (const item of Object.keys(value)) fillValue(child, value, item, depth);
}

function fillValue(
  child: DescMessage | undefined,
  holder: Record<string, unknown>,
  key: string,
  depth: number,
): void {
  const value = Object.hasOwn(holder, key) ? holder[key] : undefined;
  // Into a frozen message nothing can be put: then the filled bytes stay where they are.
  if (InPlaceBytes.is(value)) Reflect.set(holder, key, InPlaceBytes.own(value));
  else if (child !== undefined) fillMessage(child, value, depth + 1);
}

function caseOf(oneof: unknown, name: string): Record<string, unknown> | undefined {
  return isRecord(oneof) && oneof["case"] === name ? oneof : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
