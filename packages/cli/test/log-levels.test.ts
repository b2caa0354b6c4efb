import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EchoService } from "@dropthrough/dispatch/testing";
import { Level, LogService } from "@dropthrough/log";
import { GuestText } from "@dropthrough/guest-text";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { DeploymentFolder } from "./deployment-folder.ts";
import { encode, payload } from "./kernel-guest.ts";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

/** A command that writes a debug record every ten milliseconds, for ever. */
function talker(): Uint8Array<ArrayBuffer> {
  const guest = new GuestText();
  const record = { level: Level.DEBUG, message: "details" };
  return guest.module(`(func (export "_start") (loop $again
    ${guest.must(`${LogService.typeName}/Write`, encode(LogService.method.write, { record }))}
    ${guest.must(`${EchoService.typeName}/Echo`, payload("", 10))}
    (br $again)))`);
}

test("an operator changes the level of a guest of dropthrough run while it runs", async () => {
  folder.guest("talker", talker());
  const grants = [`${LogService.typeName}/*`, `${EchoService.typeName}/*`];
  const guests = ["quiet", "loud"].map((name) => ({
    name,
    module: "talker.wasm",
    grants,
    main: name === "quiet",
  }));
  // Paths of the log are relative to the folder that the command runs in.
  const backends = {
    "@dropthrough/log": { file: "log", levelsFile: "levels.json" },
    "./echo.ts": null,
  };
  folder.write("echo.ts", `export { echo as default } from "@dropthrough/dispatch/testing";`);
  folder.write("talker.config.json", JSON.stringify({ backends, guests }));
  const bin = new URL("../src/bin.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [bin, "run", "talker.config.json"], {
    cwd: folder.path,
    stdio: ["ignore", "ignore", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const log = join(folder.path, "log");
  const writers = (): unknown[] =>
    (existsSync(log) ? readFileSync(log, "utf8") : "")
      .split("\n")
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { guest: unknown }).guest);

  await expect.poll(() => existsSync(log)).toBe(true);
  expect(writers()).toEqual([]);
  const levels = join(folder.path, "levels.json");
  writeFileSync(levels, JSON.stringify({ levels: { loud: "debug" } }));
  await expect.poll(() => writers().length).toBeGreaterThan(10);
  expect(new Set(writers())).toEqual(new Set(["loud"]));

  rmSync(levels);
  let before = -1;
  await expect
    .poll(
      () => {
        const now = writers().length;
        const quiet = now === before;
        before = now;
        return quiet;
      },
      { interval: 1_000 },
    )
    .toBe(true);
  child.kill("SIGTERM");
  expect((await once(child, "exit"))[0]).toBe(143);
});
