import { invalid } from "../redis-error.ts";

/** Bytes of a request, as bytes of our own: those of a request may be gone when the command is written. */
export function own(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

/** Refuses an empty list: Redis would call it a syntax error, which says less. */
export function some<T>(list: readonly T[], what: string): readonly T[] {
  if (list.length === 0) throw invalid(`at least one ${what} is needed`);
  return list;
}

/** A number as Redis reads it. */
export function score(value: number, what: string): string {
  if (Number.isNaN(value)) throw invalid(`${what} is NaN, which is no number to Redis`);
  if (value === Infinity) return "+inf";
  if (value === -Infinity) return "-inf";
  return String(value);
}

/** A time that must be ahead of 0. */
export function positive(ms: bigint, what: string): string {
  if (ms <= 0n) throw invalid(`${what} is ${ms}: it must be above 0`);
  return String(ms);
}

/** The word for an enum value; the first stands for 0. */
export function word(words: readonly string[], value: number, what: string): string[] {
  const chosen = words[value];
  if (chosen === undefined) throw invalid(`${what} ${value} is not known`);
  return chosen === "" ? [] : chosen.split(" ");
}
