import type { Types } from "./database.ts";
import { SortedSet } from "./sorted-set.ts";

/** What an item costs beside its bytes, about. */
export const ITEM_BYTES = 64;

/** The commands that make the database larger, and which of their words is the key that grows. */
export const GROWING: ReadonlyMap<string, number> = new Map([
  ...`SET MSET INCRBY INCRBYFLOAT APPEND HSET HSETNX HINCRBY HINCRBYFLOAT LPUSH RPUSH LPUSHX RPUSHX LSET LINSERT SADD
      SINTERSTORE SUNIONSTORE SDIFFSTORE ZADD ZINCRBY`
    .split(/\s+/)
    .map((name) => [name, 1] as const),
  ["LMOVE", 2],
  ["SMOVE", 2],
]);

/** About how many bytes a value takes. */
export function measure(value: Types[keyof Types]): number {
  if (typeof value === "string") return value.length + ITEM_BYTES;
  let bytes = ITEM_BYTES;
  if (value instanceof SortedSet) {
    for (const { member } of value.ordered()) bytes += member.length + 2 * ITEM_BYTES;
  } else if (value instanceof Map) {
    for (const [field, item] of value) bytes += field.length + item.length + 2 * ITEM_BYTES;
  } else for (const item of value) bytes += item.length + ITEM_BYTES;
  return bytes;
}

/** How many items a value has. */
export function count(value: Types[keyof Types]): number {
  if (typeof value === "string") return 1;
  return Array.isArray(value) ? value.length : value.size;
}
