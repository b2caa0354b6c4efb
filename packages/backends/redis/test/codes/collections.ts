import { Code } from "@connectrpc/connect";
import { SetOperation } from "../../src/index.ts";
import { b } from "../rules/rule.ts";
import { absent, LEFT, list, member, type Row } from "./row.ts";

const {
  InvalidArgument: INVALID_ARGUMENT,
  NotFound: NOT_FOUND,
  ResourceExhausted: RESOURCE_EXHAUSTED,
  OutOfRange: OUT_OF_RANGE,
} = Code;

/** Of hashes, lists, sets and sorted sets, but for keys that hold something else. */
export const COLLECTIONS: Row[] = [
  ["HashSet", INVALID_ARGUMENT, "without a field", async (c) => c.hashSet(absent)],
  ["HashMultiGet", INVALID_ARGUMENT, "without a field", async (c) => c.hashMultiGet(absent)],
  ["HashDelete", INVALID_ARGUMENT, "without a field", async (c) => c.hashDelete(absent)],
  ["HashScan", INVALID_ARGUMENT, "as Scan", async (c) => c.hashScan({ ...absent, count: 10_001 })],
  [
    "ListPush",
    INVALID_ARGUMENT,
    "without an element",
    async (c) => c.listPush({ ...absent, end: LEFT }),
  ],
  [
    "ListPush",
    INVALID_ARGUMENT,
    "without an end",
    async (c) => c.listPush({ ...absent, values: [b("v")] }),
  ],
  ["ListPop", INVALID_ARGUMENT, "without an end", async (c) => c.listPop(list)],
  ["ListSet", NOT_FOUND, "if the key is absent", async (c) => c.listSet(absent)],
  ["ListSet", OUT_OF_RANGE, "for a place outside", async (c) => c.listSet({ ...list, index: 9n })],
  [
    "ListMove",
    INVALID_ARGUMENT,
    "without an end",
    async (c) => c.listMove({ ...list, toKey: list.key, fromEnd: LEFT }),
  ],
  ["SetAdd", INVALID_ARGUMENT, "without a member", async (c) => c.setAdd(absent)],
  ["SetRemove", INVALID_ARGUMENT, "without a member", async (c) => c.setRemove(absent)],
  ["SetContains", INVALID_ARGUMENT, "without a member", async (c) => c.setContains(absent)],
  [
    "SetCombine",
    INVALID_ARGUMENT,
    "without an operation",
    async (c) => c.setCombine({ keys: [absent.key] }),
  ],
  [
    "SetCombine",
    INVALID_ARGUMENT,
    "without a key",
    async (c) => c.setCombine({ operation: SetOperation.UNION }),
  ],
  ["SetScan", INVALID_ARGUMENT, "as Scan", async (c) => c.setScan({ ...absent, count: 10_001 })],
  ["SortedSetAdd", INVALID_ARGUMENT, "without a member", async (c) => c.sortedSetAdd(absent)],
  [
    "SortedSetAdd",
    INVALID_ARGUMENT,
    "for a score that is NaN",
    async (c) => c.sortedSetAdd({ ...absent, members: [{ member, score: NaN }] }),
  ],
  [
    "SortedSetIncrement",
    INVALID_ARGUMENT,
    "without an increment",
    async (c) => c.sortedSetIncrement(absent),
  ],
  [
    "SortedSetIncrement",
    RESOURCE_EXHAUSTED,
    "for more than 100,000 increments",
    async (c) =>
      c.sortedSetIncrement({
        ...absent,
        increments: Array.from({ length: 100_001 }, () => ({ member, by: 1 })),
      }),
  ],
  [
    "SortedSetRange",
    INVALID_ARGUMENT,
    "without a kind of range",
    async (c) => c.sortedSetRange(absent),
  ],
  [
    "SortedSetRange",
    INVALID_ARGUMENT,
    "for an offset with ranks",
    async (c) => c.sortedSetRange({ ...absent, range: { case: "rank", value: {} }, offset: 1n }),
  ],
  ["SortedSetRemove", INVALID_ARGUMENT, "without a member", async (c) => c.sortedSetRemove(absent)],
  ["SortedSetScore", INVALID_ARGUMENT, "without a member", async (c) => c.sortedSetScore(absent)],
  [
    "SortedSetCount",
    INVALID_ARGUMENT,
    "without a kind of range",
    async (c) => c.sortedSetCount(absent),
  ],
  [
    "SortedSetRemoveRange",
    INVALID_ARGUMENT,
    "without a kind of range",
    async (c) => c.sortedSetRemoveRange(absent),
  ],
  [
    "SortedSetScan",
    INVALID_ARGUMENT,
    "as Scan",
    async (c) => c.sortedSetScan({ ...absent, count: 10_001 }),
  ],
];
