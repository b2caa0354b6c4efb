import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";

const LANES = 4;
const ROUNDS = 50;
const BUILD = mkdtempSync(join(tmpdir(), "dropthrough-writer-"));
const PROGRAM = join(BUILD, "writer.mjs");

/** Writes /data/file over and over, with sync, and says so after each OK. */
const WRITER = `
  import { flushCompileCache } from "node:module";
  import { file } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
  import { inMemory } from ${JSON.stringify(import.meta.resolve("@dropthrough/dispatch/testing"))};
  const client = inMemory(file({ mounts: { "/data": { path: process.argv[2], write: true } } })).client();
  // What is killed writes no cache at its end: half of the time of a start.
  flushCompileCache();
  for (let n = Number(process.argv[3]); ; n++) {
    const text = String(n).padStart(8, "0");
    await client.writeFile({ path: "/data/file", data: Buffer.from(text.repeat(4096)), sync: true });
    process.stdout.write(text + "\\n");
  }`;

// Most of the time goes into starts, and one file that is compiled already starts in less than half the time of all its modules.
beforeAll(async () => {
  const source = join(BUILD, "writer.ts");
  writeFileSync(source, WRITER);
  const bundle = await rolldown({ input: source, platform: "node" });
  await bundle.write({ file: PROGRAM, codeSplitting: false });
  await bundle.close();
});
afterAll(() => rmSync(BUILD, { recursive: true, force: true }));

test(
  "a WriteFile that answered OK is there after kill -9 at any of 200 moments, whole",
  { timeout: 300_000 },
  async () => {
    const moments = await Promise.all(Array.from({ length: LANES }, async () => killOverAndOver()));
    expect(moments.reduce((sum, n) => sum + n)).toBe(200);
  },
);

/** Kills one writer after another, on one file, and looks at what is there. Answers how often. */
async function killOverAndOver(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "dropthrough-durable-"));
  let last = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const child = start(folder, last + 1);
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    const answered = Number(said.trim().split("\n").at(-1));
    const content = readFileSync(join(folder, "file"), "utf8");
    const found = content.slice(0, 8);
    expect(content, "a mix of two writes, or a part of one").toBe(found.repeat(4096));
    expect(Number(found), "an answered write is gone").toBeGreaterThanOrEqual(answered);
    last = Number(found);
  }
  rmSync(folder, { recursive: true, force: true });
  return ROUNDS;
}

function start(folder: string, from: number): ChildProcess {
  return spawn(process.execPath, [PROGRAM, folder, String(from)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: BUILD },
  });
}
