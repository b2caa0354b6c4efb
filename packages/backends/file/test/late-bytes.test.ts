import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, onTestFinished, test } from "vitest";
import { file } from "../src/index.ts";

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
