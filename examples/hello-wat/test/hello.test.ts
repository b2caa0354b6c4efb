import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { hello } from "../main.ts";

test("a guest written by hand logs a line, with its name on it", async () => {
  const stream = new PassThrough();
  expect(await hello(stream)).toBe(0);
  const lines = String(stream.read()).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ level: 30, guest: "hello", instance: 1, msg: "hello, from WAT" }),
  ]);
});
