import { ReplyError } from "../redis-error.ts";

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** A whole number of 64 bits, as Redis reads it: no sign +, no leading 0, no space. */
export function parseInteger(
  text: string,
  message = "ERR value is not an integer or out of range",
): bigint {
  const value = /^(0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || !fits(value)) {
    throw new ReplyError(message);
  }
  return value;
}

/** How many: a whole number that is not below 0. */
export function parseCount(text: string): number {
  const message = "ERR value is out of range, must be positive";
  const count = Number(parseInteger(text, message));
  if (count < 0) throw new ReplyError(message);
  return count;
}

/** The sum, which must fit too. */
export function addIntegers(a: bigint, b: bigint): bigint {
  if (!fits(a + b)) throw new ReplyError("ERR increment or decrement would overflow");
  return a + b;
}

/** A number, as Redis reads a score. */
export function parseDouble(text: string, message = "ERR value is not a valid float"): number {
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinity !== null) return infinity[1] === "-" ? -Infinity : Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new ReplyError(message);
  return Number(text);
}

function fits(value: bigint): boolean {
  return value >= LEAST && value <= MOST;
}
