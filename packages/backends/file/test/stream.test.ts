import { Writable } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { callOf } from "@dropthrough/dispatch";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, describe, expect, test } from "vitest";
import { file, type FileService, FileType, type StreamOwner } from "../src/index.ts";

let memory: InMemory<typeof FileService>;
afterEach(() => memory[Symbol.asyncDispose]());

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

describe("a stream", () => {
  const streamed = (stream: Writable): void =>
    void (memory = inMemory(file({ mounts: { "/dev/stdout": { stream } } })));

  test("that nobody reads keeps 4 MiB at most, however often its writers give up", async () => {
    const stream = new Writable({ highWaterMark: 1, write: () => {} });
    streamed(stream);
    const client = memory.client();
    const { handle } = await client.open({ path: "/dev/stdout", write: true });
    const data = new Uint8Array(1024 * 1024);
    const codes: (Code | 0)[] = [];
    for (let i = 0; i < 10; i++)
      codes.push(await codeOf(client.write({ handle, data }, { timeoutMs: 2 })));
    expect(codes.slice(0, 4)).toEqual(Array(4).fill(Code.DeadlineExceeded));
    expect(codes.slice(4)).toEqual(Array(6).fill(Code.ResourceExhausted));
    expect(stream.writableLength).toBe(4 * 1024 * 1024);
  });

  test("takes what is written to it, in order, and is not closed with its handle", async () => {
    const taken: string[] = [];
    streamed(
      new Writable({
        write: (chunk: Buffer, _, done) => (taken.push(chunk.toString()), setImmediate(done)),
      }),
    );
    for (const text of ["a", "b"]) {
      const { handle, info } = await memory.client().open({ path: "/dev/stdout", write: true });
      expect(info?.type).toBe(FileType.STREAM);
      await memory.client().write({ handle, data: Buffer.from(text) });
      await memory.client().close({ handle });
    }
    expect(taken).toEqual(["a", "b"]);
    expect(await codeOf(memory.client().open({ path: "/dev/stdout", read: true }))).toBe(
      Code.PermissionDenied,
    );
    expect(await codeOf(memory.client().open({ path: "/dev/stdout/x", write: true }))).toBe(
      Code.FailedPrecondition,
    );
  });

  test("can be made for whoever opens it: it knows the guest, and ends with the handle or the guest", async () => {
    const said: string[] = [];
    const stream = ({ name, instance }: StreamOwner): Writable =>
      new Writable({
        write: (chunk: Buffer, _, done) => (
          said.push(`${name}.${instance}: ${chunk.toString()}`),
          done()
        ),
        final: (done) => (said.push(`${name} ends`), done()),
      });
    memory = inMemory(file({ mounts: { "/dev/stdout": { stream } } }));
    const open = async (guest: string): Promise<bigint> =>
      (await memory.client(guest).open({ path: "/dev/stdout", write: true })).handle;
    const [a, b] = [await open("a"), await open("b")];
    await memory.client("a").write({ handle: a, data: Buffer.from("x") });
    await memory.client("b").write({ handle: b, data: Buffer.from("y") });
    await memory.client("a").close({ handle: a });
    await memory.end("b");
    expect(said).toEqual(["a.0: x", "b.0: y", "a ends", "b ends"]);
    expect((await memory.client().stat({ path: "/dev/stdout" })).info?.type).toBe(FileType.STREAM);
  });

  test("made for whoever opens it knows by which call it is written to and closed, and nothing between", async () => {
    const calls: (number | undefined)[] = [];
    const stream = (owner: StreamOwner): Writable => {
      const note = (done: () => void): void => {
        calls.push(owner.call && callOf(owner.call)?.id);
        done();
      };
      return new Writable({
        write: (_, __, done) => (note(done), setImmediate(() => note(() => {}))),
        final: note,
      });
    };
    memory = inMemory(file({ mounts: { "/dev/stdout": { stream } } }));
    const client = memory.client();
    const { handle } = await client.open({ path: "/dev/stdout", write: true });
    await client.write({ handle, data: Buffer.from("x") });
    await new Promise(setImmediate);
    await client.close({ handle });
    await client.open({ path: "/dev/stdout", write: true });
    await memory.end();
    expect(calls).toEqual([2, undefined, 3, undefined]);
  });

  test("whose reader has gone is UNAVAILABLE, and the host goes on", async () => {
    const broken = new Writable({
      write: (_, __, done) => done(Object.assign(new Error("broken pipe"), { code: "EPIPE" })),
    });
    streamed(broken);
    const { handle } = await memory.client().open({ path: "/dev/stdout", write: true });
    for (let i = 0; i < 2; i++)
      expect(await codeOf(memory.client().write({ handle, data: Buffer.from("x") }))).toBe(
        Code.Unavailable,
      );
  });

  test("says whether a person looks at it", async () => {
    streamed(Object.assign(new Writable(), { isTTY: true }));
    expect((await memory.client().stat({ path: "/dev/stdout" })).info?.terminal).toBe(true);
  });
});
