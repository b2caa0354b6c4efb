import { fromBinary } from "@bufbuild/protobuf";
import { codeName } from "@dropthrough/abi";
import type { CallObserver, CallRecord } from "@dropthrough/dispatch";
import { messageText } from "./message-text.ts";

/**
 * Prints every call as strace does, nested calls indented:
 *
 * ```text
 * ==> words.client words.v1.WordsService/Add {"words":{"the":3}}
 *   ==> words.facade dropthrough.redis.v1.RedisService/SortedSetIncrement {"key":"words:…
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

/** A message on one line; its size alone, where no descriptor is known. */
function show(call: CallRecord, side: "input" | "output"): string {
  const value = side === "input" ? call.request : call.response;
  if (value === undefined) return "";
  const desc = call.target.desc?.[side];
  if (!(value instanceof Uint8Array)) return desc === undefined ? "" : messageText(desc, value);
  if (desc === undefined) return `<${value.length} bytes>`;
  try {
    return messageText(desc, fromBinary(desc, value));
  } catch {
    return `<${value.length} bytes that are no ${desc.typeName}>`;
  }
}

function time(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
