import { readFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { codesWithoutRow } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { Level } from "../src/index.ts";
import { failure, fileLog, type FileLog } from "./file-log.ts";

type Client = ReturnType<FileLog["memory"]["client"]>;
type Row = [rpc: string, code: Code, when: string, call: (client: Client) => Promise<unknown>];

const level = Level.INFO;
const attributes = Array.from({ length: 65 }, (_, i) => ({ key: `k${i}` }));
const message = "\u001b".repeat(16_000);

const ROWS: Row[] = [
  ["Write", Code.InvalidArgument, "without a record", async (c) => c.write({})],
  ["Write", Code.InvalidArgument, "without a level", async (c) => c.write({ record: {} })],
  [
    "Write",
    Code.InvalidArgument,
    "for an empty key",
    async (c) => c.write({ record: { level, attributes: [{ key: "" }] } }),
  ],
  [
    "Write",
    Code.ResourceExhausted,
    "for 65 attributes",
    async (c) => c.write({ record: { level, attributes } }),
  ],
  [
    "Write",
    Code.ResourceExhausted,
    "for more than 65,536 bytes",
    async (c) => c.write({ record: { level, message } }),
  ],
  [
    "WriteBatch",
    Code.InvalidArgument,
    "for one without a level",
    async (c) => c.writeBatch({ records: [{ level }, {}] }),
  ],
  [
    "WriteBatch",
    Code.ResourceExhausted,
    "for 1,025 records",
    async (c) => c.writeBatch({ records: Array.from({ length: 1_025 }, () => ({ level })) }),
  ],
  [
    "WriteBatch",
    Code.ResourceExhausted,
    "for one with 65 attributes",
    async (c) => c.writeBatch({ records: [{ level, attributes }] }),
  ],
  ["Enabled", Code.InvalidArgument, "without a level", async (c) => c.enabled({})],
];

test.each(ROWS)("%s answers %d %s", async (_, code, __, call) => {
  expect((await failure(call(fileLog().memory.client()))).code).toBe(code);
});

test("every code that the contract documents has a row", () => {
  const proto = new URL("../../../../proto/dropthrough/log/v1/log.proto", import.meta.url);
  expect(codesWithoutRow(readFileSync(proto, "utf8"), ROWS)).toEqual([]);
});
