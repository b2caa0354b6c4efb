import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, onTestFinished, test } from "vitest";
import { file, Whence } from "../src/index.ts";

test.each(["Read", "ReadAt"])(
  "what %s is to answer is none once its handle is closed: the descriptor may be another file's",
  async (name) => {
    const base = mkdtempSync(join(tmpdir(), "dropthrough-late-"));
    onTestFinished(() => rmSync(base, { recursive: true, force: true }));
    mkdirSync(join(base, "mount"));
    writeFileSync(join(base, "mount/own"), "own");
    writeFileSync(join(base, "secret"), "SECRET");
    const { promise: later, resolve: release } = Promise.withResolvers<void>();
    await using memory = inMemory(file({ mounts: { "/data": { path: join(base, "mount") } } }), {
      interceptors: [
        (next) => async (request) => {
          const response = await next(request);
          if (request.method.name === name) await later;
          return response;
        },
      ],
    });
    const client = memory.client();
    const { handle } = await client.open({ path: "/data/own", read: true });
    const call = name === "Read" ? client.read({ handle }) : client.readAt({ handle });
    const answer = call.then(
      ({ data }) => Buffer.from(data).toString(),
      (error: unknown) => ConnectError.from(error),
    );
    await client.close({ handle });
    const theirs = openSync(join(base, "secret"), "r");
    release();
    expect(await answer).toMatchObject({ code: Code.NotFound });
    closeSync(theirs);
  },
);

test("reads whose answers are encoded late go on where others have left off by then, and undo no Seek", async () => {
  const { promise: later, resolve: release } = Promise.withResolvers<void>();
  await using memory = inMemory(file({ mounts: { "/m": { memory: true } } }), {
    interceptors: [
      (next) => async (request) => {
        const response = await next(request);
        if (request.method.name === "Read") await later;
        return response;
      },
    ],
  });
  const client = memory.client();
  await client.writeFile({ path: "/m/f", data: Buffer.from("abcdefghij") });
  const { handle } = await client.open({ path: "/m/f", read: true });
  const reads = [client.read({ handle, length: 2 }), client.read({ handle, length: 2 })];
  await client.seek({ handle, offset: 4n, whence: Whence.START });
  release();
  const read = await Promise.all(reads);
  expect(read.map(({ data }) => Buffer.from(data).toString())).toEqual(["ef", "gh"]);
  const { offset } = await client.seek({ handle, offset: 0n, whence: Whence.CURRENT });
  expect(offset).toBe(8n);
});
