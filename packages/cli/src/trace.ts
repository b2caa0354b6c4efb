import {
  type DescMessage,
  fromBinary,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { codeName } from "@dropthrough/abi";
import type { CallObserver, CallRecord } from "@dropthrough/dispatch";

const MOST_LETTERS = 200;
const MOST_BYTES = 16;

/**
 * Prints every call as strace does, nested calls indented:
 *
 * ```text
 * ==> words.client words.v1.WordsService/Add {"words":{"the":3}}
 *   ==> words.facade dropthrough.redis.v1.RedisService/SortedSetIncrement {"key":"d29yZHM=",…
 *   <== OK {} 85 µs
 * <== OK {"added":1} 212 µs
 * ```
 *
 * Where other calls came between, the answer names its call: `<== OK {"added":1} 212 µs words.v1.WordsService/Add`.
 */
export function traceTo(stream: { write(text: string): unknown }): CallObserver {
  let last: CallRecord | undefined;
  const indent = (call: CallRecord): string => "  ".repeat(call.depth);
  return {
    started(call) {
      stream.write(`${indent(call)}==> ${call.caller.name} ${call.name} ${show(call, "input")}\n`);
      last = call;
    },
    ended(call) {
      const answer =
        call.code === 0
          ? `OK ${show(call, "output")}`
          : `${codeName(call.code)} ${JSON.stringify(call.error?.rawMessage ?? "")}`;
      const between = last === call || last?.parent === call ? "" : ` ${call.name}`;
      stream.write(`${indent(call)}<== ${answer} ${time(call.durationMs)}${between}\n`);
      last = call;
    },
    refused(caller, name, error) {
      stream.write(
        `==> ${caller.name} bind ${JSON.stringify(name)}\n<== ${codeName(error.code)} ${JSON.stringify(error.rawMessage)}\n`,
      );
    },
  };
}

/** A message on one line, as protobuf JSON, shortened. */
function show(call: CallRecord, side: "input" | "output"): string {
  const value = side === "input" ? call.request : call.response;
  if (value === undefined) return "";
  const desc = call.target.desc?.[side];
  if (desc === undefined) return value instanceof Uint8Array ? `<${value.length} bytes>` : "";
  let json: string;
  try {
    json = JSON.stringify(shorten(toJson(desc, messageOf(desc, value))));
  } catch {
    return value instanceof Uint8Array
      ? `<${value.length} bytes that are no ${desc.typeName}>`
      : `<no ${desc.typeName}>`;
  }
  return json.length > MOST_LETTERS ? `${json.slice(0, MOST_LETTERS)}…` : json;
}

function messageOf(desc: DescMessage, value: Message | Uint8Array): Message {
  return shortenBytes(
    value instanceof Uint8Array ? fromBinary(desc, value) : structuredClone(value),
  );
}

/** Long bytes fields are cut before they are made base64. */
function shortenBytes<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const [key, field] of Object.entries(value)) {
    if (field instanceof Uint8Array && field.length > MOST_BYTES) {
      (value as Record<string, unknown>)[key] = field.slice(0, MOST_BYTES);
    } else shortenBytes(field);
  }
  return value;
}

/** Long strings, lists and maps are cut. */
function shorten(json: JsonValue): JsonValue {
  if (typeof json === "string") return json.length > 64 ? `${json.slice(0, 64)}…` : json;
  if (Array.isArray(json))
    return json.length > 5 ? [...json.slice(0, 5).map(shorten), "…"] : json.map(shorten);
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json).map(([key, value]): [string, JsonValue] => [
    key,
    shorten(value),
  ]);
  return Object.fromEntries(
    entries.length > 8 ? [...entries.slice(0, 8), ["…", entries.length - 8]] : entries,
  );
}

function time(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
