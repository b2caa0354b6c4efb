import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FileService } from "@dropthrough/file";
import { GuestText } from "@dropthrough/guest-text";
import { afterAll, expect, test } from "vitest";
import { DeploymentFolder } from "./deployment-folder.ts";
import { encode } from "./kernel-guest.ts";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

/** A command that opens what it prints to, and prints pieces there. */
function printer(...pieces: readonly string[]): Uint8Array<ArrayBuffer> {
  const { open, write } = FileService.method;
  const name = FileService.typeName;
  const guest = new GuestText();
  const writes = pieces.map((text) =>
    guest.must(`${name}/Write`, encode(write, { handle: 1n, data: Buffer.from(text) })),
  );
  return guest.module(`(func (export "_start")
    ${guest.must(`${name}/Open`, encode(open, { path: "/dev/stdout", write: true }))}
    ${writes.join("\n")})`);
}

test("what a guest prints is in the log, a record for each line, in its own name", async () => {
  folder.guest(
    "printer",
    printer("one\ntw", 'o\n{"guest":"root"}\u001b[2J\nthe last one has no end'),
  );
  const grants = [`${FileService.typeName}/*`];
  const file = folder.config("printer", [{ name: "printer", module: "printer.wasm", grants }], {
    head: `import { file } from "@dropthrough/file";
           import { log } from "@dropthrough/log";
           const logs = log({ file: "log" });`,
    backends: `[logs, file({ mounts: { "/dev/stdout": { stream: (guest) => logs.lines(guest) } } })]`,
  });
  expect(await folder.dropthrough(["run", file])).toMatchObject({ code: 0, stderr: "" });
  const lines = readFileSync(join(folder.path, "log"), "utf8").trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { guest: "printer", instance: 1, level: 30, call: 2, msg: "one" },
    { guest: "printer", instance: 1, level: 30, call: 3, msg: "two" },
    { guest: "printer", instance: 1, call: 3, msg: String.raw`{"guest":"root"}\u001b[2J` },
    { guest: "printer", instance: 1, msg: "the last one has no end" },
  ]);
});
