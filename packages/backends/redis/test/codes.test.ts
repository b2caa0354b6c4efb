import { readFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { codesWithoutRow, type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { redis, type RedisService } from "../src/index.ts";
import { CODES } from "../src/redis-error.ts";
import { type RedisServer, startRedisServer } from "../src/testing.ts";
import { absent, LEFT, list, type Row, text } from "./codes/row.ts";
import { AWAY, ISOLATED, OF_A_SERVER, OF_THE_ENGINE, ROWS, SHUT } from "./codes/rows.ts";
import { type LyingNode, startLyingNode } from "./lying-node.ts";
import { b, fails } from "./rules/rule.ts";

let server: RedisServer;
let shut: LyingNode;
beforeAll(async () => {
  server = await startRedisServer();
  let pings = 0;
  shut = await startLyingNode(([name], self) => {
    if (name === "PING" && pings++ === 0) self.hangUp();
    if (name !== "subscribe") return ":1\r\n";
    return pings === 0 ? ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n" : "-NOPERM no\r\n";
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await shut[Symbol.asyncDispose]();
});

const guestUrls = { guest: ["redis://127.0.0.1:1"] };
const CASES: [string, () => InMemory<typeof RedisService>, Row[]][] = [
  ["a server", () => inMemory(redis({ url: server.url, guestUrls })), [...ROWS, ...OF_A_SERVER]],
  ["the embedded engine", () => inMemory(redis({ guestUrls })), [...ROWS, ...OF_THE_ENGINE]],
  [
    "a server, isolated",
    () => inMemory(redis({ url: server.url, isolate: true, execute: ["SORT_RO"] })),
    ISOLATED,
  ],
  ["a server that refuses channels", () => inMemory(redis({ url: shut.url })), SHUT],
  ["no server", () => inMemory(redis({ url: "redis://127.0.0.1:1" })), AWAY],
];

describe.each(CASES)("of %s,", (_, make, rows) => {
  test.each(rows)("%s answers %d %s", async (__, code, ___, call) => {
    await using backend = make();
    const client = backend.client("guest");
    if (rows !== AWAY) {
      await client.set({ ...text, value: b("v") });
      await client.delete({ keys: [list.key, absent.key] });
      await client.listPush({ ...list, end: LEFT, values: [b("v")] });
    }
    expect((await fails(call(client), code)).code).toBe(code);
  });
});

const path = new URL("../../../../proto/dropthrough/redis/v1/redis.proto", import.meta.url);
const proto = readFileSync(path, "utf8");

test("every code that the contract documents has a row", () => {
  const rows = CASES.flatMap(([, , all]) => all);
  expect(codesWithoutRow(proto, rows)).toEqual([]);
});

test("the table of the contract has every kind of error reply, with its code", () => {
  for (const [kind, code] of Object.entries(CODES)) {
    const name = (Code[code] ?? "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    expect(proto).toMatch(new RegExp(`^// \\| ${name} \\| .*\\b${kind}\\b`, "m"));
  }
});
