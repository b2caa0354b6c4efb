import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Writes /data/file over and over, with sync, and says so after each OK. */
const WRITER = `
  import { file } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
  import { inMemory } from "@dropthrough/dispatch/testing";
  const client = inMemory(file({ mounts: { "/data": { path: process.argv[1], write: true } } })).client();
  for (let n = Number(process.argv[2]); ; n++) {
    const text = String(n).padStart(8, "0");
    await client.writeFile({ path: "/data/file", data: Buffer.from(text.repeat(4096)), sync: true });
    process.stdout.write(text + "\\n");
  }`;

test(
  "a WriteFile that answered OK is there after kill -9 at any moment, whole",
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "dropthrough-durable-"));
    const file = join(folder, "file");
    writeFileSync(file, "00000000".repeat(4096));
    let answered = 0;
    // One process is started while another is killed: 200 moments in a bearable time.
    for (let round = 0; round < 200; round++) {
      const child = start(folder, answered + 1);
      let said = "";
      child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
      answered = Number(said.trim().split("\n").at(-1));
      const content = readFileSync(file, "utf8");
      const found = content.slice(0, 8);
      expect(content, "a mix of two writes, or a part of one").toBe(found.repeat(4096));
      expect(Number(found), "an answered write is gone").toBeGreaterThanOrEqual(answered);
      answered = Number(found);
    }
    rmSync(folder, { recursive: true, force: true });
  },
);

function start(folder: string, from: number): ChildProcess {
  return spawn(
    process.execPath,
    ["--input-type=module", "-e", WRITER, "--", folder, String(from)],
    {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
}
