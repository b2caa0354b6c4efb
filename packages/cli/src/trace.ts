import { fromBinary } from "@bufbuild/protobuf";
import { codeName } from "@dropthrough/abi";
import { type CallObserver, type CallRecord, printable } from "@dropthrough/dispatch";
import { messageText } from "./message-text.ts";

/**
 * Prints every call as strace does, nested calls indented:
 *
 * ```text
 * ==> words.client words.v1.WordsService/Add {"words":{"the":3}}
 *   ==> words.facade dropthrough.redis.v1.RedisService/SortedSetIncrement {"connection_id":"…
 *   <== OK {"scores":[-3]} 85 µs
 * <== OK {"added":1} 212 µs
 * ```
 *
 * Where other calls came between, an answer names its call: `<== OK {"added":1} 212 µs words.v1.WordsService/Add`. A call
 * that begins while another one of its method is under way has a number too, in both of its lines: `…/Add #7`.
 */
export function traceTo(stream: { write(text: string): unknown }): CallObserver {
  let last: CallRecord | undefined;
  const open = new Map<string, number>();
  const numbered = new WeakSet<CallRecord>();
  const nameOf = (call: CallRecord): string =>
    numbered.has(call) ? `${call.name} #${call.id}` : call.name;
  const line = (call: CallRecord | undefined, text: string): void => {
    stream.write(`${"  ".repeat(call?.depth ?? 0)}${printable(text).trimEnd()}\n`);
  };
  return {
    started(call) {
      const others = open.get(call.name) ?? 0;
      open.set(call.name, others + 1);
      if (others > 0) numbered.add(call);
      line(call, `==> ${call.caller.name} ${nameOf(call)} ${show(call, "input")}`);
      last = call;
    },
    ended(call) {
      const others = (open.get(call.name) ?? 1) - 1;
      if (others > 0) open.set(call.name, others);
      else open.delete(call.name);
      const answer =
        call.code === 0
          ? `OK ${show(call, "output")}`
          : failure(call.code, call.error?.rawMessage ?? "");
      const between = last === call || last?.parent === call ? "" : ` ${nameOf(call)}`;
      line(call, `<== ${answer.trimEnd()} ${time(call.durationMs)}${between}`);
      last = call;
    },
    refused(caller, name, error) {
      line(undefined, `==> ${caller.name} bind ${JSON.stringify(name)}`);
      line(undefined, `<== ${failure(error.code, error.rawMessage)}`);
      last = undefined;
    },
  };
}

const MOST_REASON = 500;
/** In bytes. What is between guests is decoded by what they say of it, which may be a million messages of a thousand fields. */
const MOST_DECODED = 16_384;

function failure(code: NonNullable<CallRecord["error"]>["code"], reason: string): string {
  const shown = reason.length > MOST_REASON ? `${reason.slice(0, MOST_REASON)}…` : reason;
  return `${codeName(code)} ${JSON.stringify(shown)}`;
}

/** A message on one line; its size alone, where no descriptor is known or it is a long one between guests. */
function show(call: CallRecord, side: "input" | "output"): string {
  const value = side === "input" ? call.request : call.response;
  if (value === undefined) return "";
  const desc = call.target.desc?.[side];
  const encoded = value instanceof Uint8Array;
  if (desc === undefined || (encoded && value.length > MOST_DECODED))
    return encoded ? `<${value.length} bytes>` : "";
  try {
    return messageText(desc, encoded ? fromBinary(desc, value) : value);
  } catch {
    // An observer must not throw, whatever a guest sent or a handler answered.
    return encoded
      ? `<${value.length} bytes that are no ${desc.typeName}>`
      : `<no ${desc.typeName}>`;
  }
}

function time(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
