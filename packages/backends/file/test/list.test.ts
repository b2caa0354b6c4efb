import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Code } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { file, type FileService } from "../src/index.ts";

const MANY = 10_000;
let folder: string;
let memory: InMemory<typeof FileService>;
let client: Client<typeof FileService>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dropthrough-list-"));
  for (let i = 0; i < MANY; i++) writeFileSync(join(folder, `${i}`), "");
  memory = inMemory(file({ mounts: { "/data": { path: folder, write: true } } }));
  client = memory.client();
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** How often the event loop had its turn meanwhile. */
async function turnsWhile(run: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await run();
  isOver = true;
  return turns;
}

describe("a folder with many entries", () => {
  test("is listed page by page, in order, each once, and with each page others get their turn", async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff)]), "");
    const names: string[] = [];
    let cursor: Uint8Array = new Uint8Array();
    let unnamable = 0;
    const page = async (): Promise<void> => {
      const answer = await client.list({ path: "/data", cursor, limit: 3000 });
      names.push(...answer.entries.map(({ name }) => name));
      ({ cursor, unnamable } = answer);
    };
    do expect(await turnsWhile(page)).toBeGreaterThanOrEqual(3);
    while (cursor.length > 0);
    expect(names).toEqual(Array.from({ length: MANY }, (_, i) => `${i}`).toSorted());
    expect(unnamable).toBe(1);
  });

  test("is let go of when the caller has given up, and when it has ended", async () => {
    const before = readdirSync("/proc/self/fd").length;
    const given = client.list({ path: "/data" }, { signal: AbortSignal.timeout(0) });
    await expect(given).rejects.toMatchObject({ code: Code.Canceled });
    const cut = client.list({ path: "/data" }).catch(() => {});
    await memory.end();
    await cut;
    await expect.poll(() => readdirSync("/proc/self/fd").length).toBe(before);
  });

  test("that come and go meanwhile is listed all the same: what stays is there, once", async () => {
    const listed = client.list({ path: "/data", limit: 10_000 });
    for (let i = 0; i < MANY; i += 2) await client.remove({ path: `/data/${i}` });
    for (let i = 0; i < 500; i++) await client.writeFile({ path: `/data/new-${i}` });
    const names = (await listed).entries.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const stayed = names.filter((name) => Number(name) % 2 === 1);
    expect(stayed.length).toBe(MANY / 2);
  });

  test("is removed with its directory while others get their turn", async () => {
    await client.makeDirectory({ path: "/data/d" });
    for (let i = 0; i < 5000; i++) writeFileSync(join(folder, "d", `${i}`), "");
    const remove = async (): Promise<unknown> =>
      client.remove({ path: "/data/d", recursive: true });
    expect(await turnsWhile(remove)).toBeGreaterThan(20);
  });
});
