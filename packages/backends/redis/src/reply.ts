import { Code, ConnectError } from "@connectrpc/connect";
import type { Reply } from "./connection.ts";

/*
 * Readers of replies. Each takes what the commands that use it can answer, and says so if a server answers anything else.
 */

/** A whole number. */
export function integer(reply: Reply | undefined): bigint {
  if (typeof reply === "number" || typeof reply === "bigint" || typeof reply === "string") {
    try {
      return BigInt(reply);
    } catch {
      // It was no number: said below.
    }
  }
  throw unexpected("a whole number", reply);
}

/** A number, which older replies hold as text. */
export function double(reply: Reply | undefined): number {
  if (typeof reply === "number") return reply;
  if (reply instanceof Uint8Array) return parseDouble(Buffer.from(reply).toString("latin1"));
  if (typeof reply === "string") return parseDouble(reply);
  throw unexpected("a number", reply);
}

/** Bytes that must be there. */
export function bytes(reply: Reply | undefined): Uint8Array {
  if (reply instanceof Uint8Array) return reply;
  throw unexpected("bytes", reply);
}

/** Bytes, or nothing. */
export function optionalBytes(reply: Reply | undefined): Uint8Array | undefined {
  return reply === null ? undefined : bytes(reply);
}

/** Replies in order. */
export function list(reply: Reply | undefined): readonly Reply[] {
  if (Array.isArray(reply)) return reply as readonly Reply[];
  throw unexpected("a list", reply);
}

/** `{ value }`, or nothing in it, for a field that may be absent. */
export function optionalValue(reply: Reply | undefined): { value?: Uint8Array } {
  const value = optionalBytes(reply);
  return value === undefined ? {} : { value };
}

/** What each value of a list counts, in bytes, beside what is in it: an empty one takes memory too. */
export const PLACE = 64;

/** Bytes that a reply takes, about. */
export function sizeOf(reply: Reply): number {
  if (reply instanceof Uint8Array || typeof reply === "string") return reply.length;
  if (!Array.isArray(reply)) return 0;
  return (reply as readonly Reply[]).reduce<number>((sum, item) => sum + PLACE + sizeOf(item), 0);
}

function parseDouble(text: string): number {
  if (text === "inf" || text === "+inf") return Infinity;
  if (text === "-inf") return -Infinity;
  return Number(text);
}

function unexpected(what: string, reply: Reply | undefined): ConnectError {
  const kind = reply === null ? "nothing" : Array.isArray(reply) ? "a list" : typeof reply;
  return new ConnectError(`Redis answered ${kind} where ${what} was expected`, Code.Internal);
}
