import type { Argument } from "../connection.ts";
import { invalid } from "../redis-error.ts";

/**
 * Bytes of a request as a word of our own: those of a request may be gone when the command is written. Short ASCII
 * becomes text, which the client library puts into one piece with the rest of the command.
 */
export function own(bytes: Uint8Array): Argument {
  return ascii(bytes) ?? Buffer.from(bytes);
}

const MOST_TEXT = 128;
const { latin1Slice } = Buffer.prototype;

/** Short ASCII as text; undefined for all else. */
export function ascii(bytes: Uint8Array): string | undefined {
  const { length } = bytes;
  if (length > MOST_TEXT) return undefined;
  for (let i = 0; i < length; i++) if ((bytes[i] ?? 0) > 127) return undefined;
  return latin1Slice.call(bytes, 0, length);
}

/** Refuses an empty list: Redis would call it a syntax error, which says less. */
export function some<T>(list: readonly T[], what: string): readonly T[] {
  if (list.length === 0) throw invalid(`at least one ${what} is needed`);
  return list;
}

/** A number as Redis reads it; infinity is one. */
export function score(value: number, what: string): string {
  if (Number.isNaN(value)) throw invalid(`${what} is NaN, which is no number to Redis`);
  if (value === Infinity) return "+inf";
  if (value === -Infinity) return "-inf";
  return String(value);
}

/** A number as Redis reads it; infinity is none. */
export function finite(value: number, what: string): string {
  if (!Number.isFinite(value)) throw invalid(`${what} is ${value}: it must be a finite number`);
  return String(value);
}

/** When a key is to expire, in the words of SET and GETEX. */
export type Expiry =
  | { readonly case: "expireInMs" | "expireAtMs"; readonly value: bigint }
  | { readonly case: "keepTtl" | "persist"; readonly value: boolean }
  | { readonly case: undefined };

/** The same as words. */
export function expiryWords(expiry: Expiry): string[] {
  switch (expiry.case) {
    case "expireInMs":
      return ["PX", positive(expiry.value, "expire_in_ms")];
    case "expireAtMs":
      return ["PXAT", positive(expiry.value, "expire_at_ms")];
    case "keepTtl":
      return expiry.value ? ["KEEPTTL"] : [];
    case "persist":
      return expiry.value ? ["PERSIST"] : [];
    default:
      return [];
  }
}

function positive(ms: bigint, what: string): string {
  if (ms <= 0n) throw invalid(`${what} is ${ms}: it must be above 0`);
  return String(ms);
}

/** The words for an enum value; the first stands for 0. Nothing at all stands for an empty one. */
export function words(known: readonly string[], value: number, what: string): string[] {
  const chosen = known[value];
  if (chosen === undefined) throw invalid(`${what} ${value} is not known`);
  return chosen === "" ? [] : chosen.split(" ");
}

/** The one word for an enum value that must be said. */
export function word(known: readonly string[], value: number, what: string): string {
  const [chosen] = words(known, value, what);
  if (chosen === undefined) throw invalid(`say which ${what}`);
  return chosen;
}

/** How many; 0 stands for one. */
export function atLeastOne(count: number): string {
  return String(Math.max(1, count));
}
