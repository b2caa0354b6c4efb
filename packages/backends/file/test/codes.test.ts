import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { ConnectError } from "@connectrpc/connect";
import { codesWithoutRow, inMemory } from "@dropthrough/dispatch/testing";
import { expect, onTestFinished, test } from "vitest";
import { file } from "../src/index.ts";
import { ROWS as OWN_ROWS } from "./code-rows.ts";
import { FIELD_ROWS } from "./field-rows.ts";
import { TREE_ROWS } from "./tree-rows.ts";

const ROWS = [...OWN_ROWS, ...TREE_ROWS, ...FIELD_ROWS];

test.each(ROWS)("%s answers %d %s", async (_, code, __, call) => {
  const base = mkdtempSync(join(tmpdir(), "dropthrough-file-"));
  const broken = new Writable({
    write: (_chunk, _encoding, done) =>
      done(Object.assign(new Error("broken pipe"), { code: "EPIPE" })),
  });
  const memory = inMemory(
    file({
      mounts: {
        "/m": { memory: true, quota: 10_000, entries: 4 },
        "/rw": { path: base, write: true },
        "/ro": { path: base },
        "/out": { stream: new Writable({ write: (_chunk, _encoding, done) => done() }) },
        "/broken": { stream: broken },
      },
      limits: { handles: 4, watches: 2 },
    }),
  );
  onTestFinished(async () => {
    await memory[Symbol.asyncDispose]();
    rmSync(base, { recursive: true });
  });
  const files = memory.client();
  await files.writeFile({ path: "/m/f" });
  await files.makeDirectory({ path: "/m/d" });
  const answer = await call(files).then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
  expect(answer.code, answer.message).toBe(code);
});

test("every code that the contract documents has a row", () => {
  const proto = new URL("../../../../proto/dropthrough/file/v1/file.proto", import.meta.url);
  expect(codesWithoutRow(readFileSync(proto, "utf8"), ROWS)).toEqual([]);
});
