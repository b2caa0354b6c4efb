import { existsSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { defineBackend, type Health } from "@dropthrough/dispatch";
import { EchoService } from "@dropthrough/dispatch/testing";
import { GuestText } from "@dropthrough/guest-text";
import { Level, LogService } from "@dropthrough/log";
import { run } from "dropthrough";
import { afterAll, expect, test } from "vitest";
import { DeploymentFolder } from "./deployment-folder.ts";
import { caller, ECHO_GRANTS } from "./guests.ts";
import { encode } from "./kernel-guest.ts";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

/** Runs a guest for as long as its backend has something new to say of its health; answers what was reported. */
async function reported(...said: readonly Health[]): Promise<string[]> {
  const lines: string[] = [];
  const over = Promise.withResolvers<void>();
  let asked = 0;
  const backend = defineBackend({
    name: "store",
    service: EchoService,
    impl: {
      echo: async () => over.promise.then(() => create(EchoService.method.echo.output)),
    },
    health: () => {
      if (asked === said.length - 1) over.resolve();
      return said[Math.min(asked++, said.length - 1)] ?? { ok: true };
    },
  });
  const guests = [{ name: "a", module: caller(), grants: ECHO_GRANTS }];
  const report = (line: string): void => void lines.push(line);
  expect(await run({ backends: [backend], guests }, { healthIntervalMs: 5, report })).toBe(0);
  return lines;
}

test("a run reports when a backend is no longer healthy, and when it is again, once each", async () => {
  const ill = { ok: false, message: "the disk is full" };
  const good = { ok: true };
  expect(await reported(good, good, ill, ill, ill, good, good)).toEqual([
    "backend store is not healthy: the disk is full",
    "backend store is healthy again",
  ]);
});

test("what a backend counts is reported as it began, and as it came to be at the end", async () => {
  const lost = [1, 2, 3].map((n) => ({ ok: false, message: `${n} lines were lost` }));
  expect(await reported(...lost)).toEqual([
    "backend store is not healthy: 1 lines were lost",
    "backend store is not healthy: 3 lines were lost",
  ]);
});

test("a message cannot drive the terminal", async () => {
  expect(await reported({ ok: false, message: "\u001b[2Jgone\nbackend store is fine" })).toEqual([
    String.raw`backend store is not healthy: \u001b[2Jgone\nbackend store is fine`,
  ]);
});

test.runIf(existsSync("/dev/full"))(
  "an operator hears of a log that cannot be written, though the guest does not",
  async () => {
    const guest = new GuestText();
    const record = { level: Level.INFO, message: "nobody will read this" };
    const write = guest.must(
      `${LogService.typeName}/Write`,
      encode(LogService.method.write, { record }),
    );
    folder.guest("writer", guest.module(`(func (export "_start") ${write})`));
    const grants = [`${LogService.typeName}/*`];
    const file = folder.config("writer", [{ name: "writer", module: "writer.wasm", grants }], {
      head: `import { log } from "@dropthrough/log";`,
      backends: `[log({ file: "/dev/full" })]`,
    });
    expect(await folder.dropthrough(["run", file])).toEqual({
      code: 0,
      stdout: "",
      stderr:
        "backend log is not healthy: writing fails: ENOSPC: no space left on device, write\n" +
        "the log was closed: 1 lines were lost, its sink did not take them\n",
    });
  },
);
