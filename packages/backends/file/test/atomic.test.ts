import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, onTestFinished, test } from "vitest";
import { file } from "../src/index.ts";

const SIZE = 256 * 1024;

/** Reads a file over and over, and tells what it was: all a, all b, or anything else. */
const READER = `
  const { readFileSync } = require("node:fs");
  const seen = { a: 0, b: 0, other: [] };
  const whole = { a: "a".repeat(${SIZE}), b: "b".repeat(${SIZE}) };
  const look = () => {
    try {
      const text = readFileSync(process.argv[2], "latin1");
      if (text === whole.a) seen.a++;
      else if (text === whole.b) seen.b++;
      else seen.other.push(text.length + " bytes");
    } catch (error) {
      seen.other.push(error.code);
    }
  };
  process.on("disconnect", () => process.exit());
  (function go() {
    for (let i = 0; i < 20; i++) look();
    process.send(seen, () => setImmediate(go));
  })();`;

interface Seen {
  readonly a: number;
  readonly b: number;
  readonly other: readonly string[];
}

test.each(["WriteFile", "WriteFile with sync", "Rename"])(
  "whoever looks while %s replaces a file sees all of the old or all of the new",
  async (how) => {
    const base = mkdtempSync(join(tmpdir(), "dropthrough-atomic-"));
    onTestFinished(() => rmSync(base, { recursive: true, force: true }));
    const path = join(base, "mount");
    mkdirSync(path);
    await using memory = inMemory(file({ mounts: { "/data": { path, write: true } } }));
    const client = memory.client();
    const put = async (text: string): Promise<void> => {
      const data = Buffer.from(text.repeat(SIZE));
      const to = "/data/file";
      if (how !== "Rename")
        return void (await client.writeFile({ path: to, data, sync: how.endsWith("sync") }));
      await client.writeFile({ path: "/data/next", data });
      await client.rename({ from: "/data/next", to });
    };
    await put("a");
    writeFileSync(join(base, "reader.cjs"), READER);
    const reader = fork(join(base, "reader.cjs"), [join(path, "file")]);
    onTestFinished(() => void reader.kill("SIGKILL"));
    let seen: Seen = { a: 0, b: 0, other: [] };
    reader.on("message", (said: Seen) => (seen = said));
    for (let i = 0; seen.a < 50 || seen.b < 50; i++) {
      await put(i % 2 === 0 ? "b" : "a");
      await setImmediate();
    }
    expect(seen.other).toEqual([]);
  },
  30_000,
);
