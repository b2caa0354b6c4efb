import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, onTestFinished, test } from "vitest";
import { file, type FileService, FileType } from "../src/index.ts";

type Files = Client<typeof FileService>;
const BYTES = 20_000;
const ENTRIES = 20;
const STEPS = 600;
const CASES = (["disk", "memory"] as const).flatMap((kind) =>
  [1, 2, 3].map((seed) => [kind, seed] as const),
);

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

/** A number from 0 on, below a bound; always the same ones. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Bytes and entries below a directory. */
async function thereIs(files: Files, path: string): Promise<[bytes: number, entries: number]> {
  let [bytes, entries] = [0, 0];
  for (const { name, type } of (await files.list({ path })).entries) {
    entries++;
    const child = `${path}/${name}`;
    if (type !== FileType.DIRECTORY) {
      bytes += Number((await files.stat({ path: child })).info?.size);
      continue;
    }
    const below = await thereIs(files, child);
    bytes += below[0];
    entries += below[1];
  }
  return [bytes, entries];
}

test.each(CASES)(
  "whatever two guests do at once on a %s mount, its quota is what is there (seed %i)",
  async (kind, seed) => {
    const folder = mkdtempSync(join(tmpdir(), "dropthrough-model-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const most = { quota: BYTES, entries: ENTRIES };
    const data = kind === "disk" ? { path: folder, write: true } : { memory: true as const };
    await using memory = inMemory(file({ mounts: { "/d": { ...data, ...most } } }));
    const guests = ["a", "b"].map((name) => memory.client(name));
    const random = randomOf(seed);
    const opened: (readonly [Files, bigint])[] = [];
    const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
    const path = (): string => `/d${pick(["", "/s", "/s/t"])}/${pick(["a", "b", "c", "d", "e"])}`;
    const bytes = (): Uint8Array => new Uint8Array(random(5000));
    const acts: readonly ((files: Files) => Promise<unknown> | undefined)[] = [
      (files) => files.writeFile({ path: path(), data: bytes() }),
      (files) => files.writeFile({ path: path(), data: bytes(), sync: true }),
      (files) => files.writeFile({ path: path(), data: bytes(), sync: true }, { timeoutMs: 1 }),
      (files) => files.writeFile({ path: path(), data: bytes(), sync: true, exclusive: true }),
      (files) => {
        const how = { create: random(2) > 0, append: random(2) > 0, truncate: random(3) > 0 };
        const call = files.open({ path: path(), write: true, ...how });
        return call.then(({ handle }) => void opened.push([files, handle]));
      },
      () => onOpen((files, handle) => files.write({ handle, data: bytes() })),
      () => onOpen((files, handle) => files.truncate({ handle, size: BigInt(random(9000)) })),
      () => onOpen((files, handle) => files.close({ handle })),
      (files) => files.remove({ path: path() }),
      (files) => files.remove({ path: pick(["/d/s", "/d/s/t"]), recursive: true }),
      (files) => files.makeDirectory({ path: "/d/s/t", parents: true }),
      (files) => files.rename({ from: path(), to: path() }),
      (files) => files.copy({ from: path(), to: path() }),
      async (files) => {
        const { entries } = await files.list({ path: "/d" });
        const beside = entries.find(({ name }) => name.endsWith(".tmp"));
        if (beside === undefined) return;
        const from = `/d/${beside.name}`;
        await (random(2) > 0 ? files.remove({ path: from }) : files.rename({ from, to: path() }));
      },
    ];
    const onOpen = (
      act: (files: Files, handle: bigint) => Promise<unknown>,
    ): Promise<unknown> | undefined => (opened.length > 0 ? act(...pick(opened)) : undefined);

    const pending: Promise<Code | 0>[] = [];
    for (let i = 0; i < STEPS; i++) {
      const code = codeOf(pick(acts)(pick(guests)) ?? Promise.resolve());
      pending.push(code);
      if (random(3) > 0) await code;
    }
    expect(await Promise.all(pending)).not.toContain(Code.Internal);
    // What was given up goes on until the disk has answered.
    const besides = async (): Promise<number> => {
      const lists = ["/d", "/d/s", "/d/s/t"].map(async (directory) =>
        memory
          .client("c")
          .list({ path: directory })
          .catch(() => ({ entries: [] })),
      );
      const names = (await Promise.all(lists)).flatMap(({ entries }) => entries);
      return names.filter(({ name }) => name.endsWith(".tmp")).length;
    };
    await expect.poll(besides).toBe(0);
    for (const name of ["a", "b"]) await memory.end(name);
    const files = memory.client("c");
    const [there, entries] = await thereIs(files, "/d");
    for (let i = entries; i < ENTRIES; i++) await files.makeDirectory({ path: `/d/more-${i}` });
    expect(await codeOf(files.makeDirectory({ path: "/d/one-more" }))).toBe(Code.ResourceExhausted);
    if (entries === ENTRIES) return;
    await files.remove({ path: `/d/more-${entries}` });
    const { handle } = await files.open({ path: "/d/rest", write: true, create: true });
    expect(await codeOf(files.truncate({ handle, size: BigInt(BYTES - there + 1) }))).toBe(
      Code.ResourceExhausted,
    );
    await files.truncate({ handle, size: BigInt(BYTES - there) });
  },
);
