import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { file, type FileService } from "../src/index.ts";
import { CALLS, NAME_CALLS } from "./jail.ts";

let folder: string;
let memory: InMemory<typeof FileService>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dropthrough-guests-"));
  writeFileSync(join(folder, "f"), "secret");
  memory = inMemory(
    file({
      mounts: {
        "/a": { path: folder, write: true, guests: ["a", "both"] },
        "/b": { memory: true, guests: ["b", "both"] },
        "/tmp": { memory: true },
        "/tmp/mine": { memory: true, guests: ["a"] },
        "/out": { stream: new Writable({ write: (_, __, done) => done() }), guests: ["a"] },
      },
    }),
  );
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const errorOf = async (promise: Promise<unknown>): Promise<ConnectError | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );

test("a mount of other guests is not there, for any call, and is not named", async () => {
  const client = memory.client("b");
  await client.writeFile({ path: "/tmp/own", data: Buffer.from("own") });
  for (const path of ["/a", "/a/f", "/out"])
    for (const [name, call] of Object.entries({ ...CALLS, ...NAME_CALLS })) {
      // It names a path of its own first, which is not there either.
      if (name === "Rename to") continue;
      const error = await errorOf(call(client, path));
      expect(error?.code, `${name} of ${path}`).toBe(Code.NotFound);
      expect(error?.message, name).not.toMatch(/there is.*(\/a|\/out)/);
    }
  expect(await errorOf(client.stat({ path: "/b" }))).toBeUndefined();
  expect((await errorOf(memory.client("none").stat({ path: "/b" })))?.rawMessage).toBe(
    "nothing is mounted at /b: there is /tmp",
  );
});

test("each guest has what names it, and shares it with those that are named beside it", async () => {
  await memory.client("both").writeFile({ path: "/b/x", data: Buffer.from("x") });
  expect((await memory.client("b").readFile({ path: "/b/x" })).data).toEqual(new Uint8Array([120]));
  expect((await memory.client("a").readFile({ path: "/a/f" })).data).toHaveLength(6);
  expect((await memory.client("both").readFile({ path: "/a/f" })).data).toHaveLength(6);
});

test("a mount inside of another hides nothing from those who have it not", async () => {
  await memory.client("a").writeFile({ path: "/tmp/mine/x", data: Buffer.from("x") });
  await memory.client("b").makeDirectory({ path: "/tmp/mine" });
  expect((await memory.client("b").list({ path: "/tmp/mine" })).entries).toEqual([]);
  expect((await memory.client("a").list({ path: "/tmp/mine" })).entries).toHaveLength(1);
});
