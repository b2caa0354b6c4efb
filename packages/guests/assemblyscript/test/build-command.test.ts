import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { ManifestSchema } from "../src/gen/dropthrough/abi/v1/manifest_pb.ts";
import { encodeManifest } from "../src/manifest.ts";
import { guestModule } from "./guests.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const kitchen = join(root, "test/assembly/kitchen.ts");

/** Runs the command in a folder. */
function run(args: readonly string[], cwd: string = root): { status: number | null; out: string } {
  const command = join(root, "src/dropthrough-as.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    cwd,
    encoding: "utf8",
  });
  return { status, out: stdout + stderr };
}

/** A folder with the files given, and with this package linked as a package manager links it. */
function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), "dropthrough-as-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, "node_modules/@dropthrough"), { recursive: true });
  symlinkSync(root, join(path, "node_modules/@dropthrough/assemblyscript"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

test("the module imports only the ABI, and exports only what it asks for", async () => {
  const module = await guestModule("kitchen");
  const imports = WebAssembly.Module.imports(module).map(
    (entry) => `${entry.module}.${entry.name}`,
  );
  const names = ["bind", "call", "read", "release", "reply", "wait"];
  expect(imports.toSorted()).toEqual(names.map((name) => `dropthrough_v1.${name}`));
  const exports = WebAssembly.Module.exports(module).map((entry) => `${entry.kind} ${entry.name}`);
  expect(exports.toSorted()).toEqual([
    "function _initialize",
    "function dropthrough_v1_serve",
    "global dropthrough_v1_abort_len",
    "global dropthrough_v1_abort_ptr",
    "memory memory",
  ]);
});

test("a command exports _start, and no serve", async () => {
  const exports = WebAssembly.Module.exports(await guestModule("commander")).map(
    (entry) => entry.name,
  );
  expect(exports).toContain("_start");
  expect(exports).not.toContain("_initialize");
  expect(exports).not.toContain("dropthrough_v1_serve");
});

test("the manifest names the services, and its descriptors are complete and have no comments", async () => {
  const [section] = WebAssembly.Module.customSections(
    await guestModule("kitchen"),
    "dropthrough.v1",
  );
  const manifest = fromBinary(ManifestSchema, new Uint8Array(section ?? new ArrayBuffer()));
  expect(manifest).toMatchObject({
    name: "kitchen",
    version: "1.2.3",
    exports: ["kitchen.v1.KitchenService"],
    requires: ["kitchen.v1.StoreService"],
  });
  if (manifest.descriptors === undefined) throw new Error("no descriptors");
  expect(manifest.descriptors.file.map((file) => file.name)).toEqual([
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
    "kitchen/v1/names.proto",
    "kitchen/v1/kitchen.proto",
  ]);
  expect(manifest.descriptors.file.every((file) => file.sourceCodeInfo === undefined)).toBe(true);
  const registry = createFileRegistry(manifest.descriptors);
  expect(registry.getService("kitchen.v1.KitchenService")?.method["cook"]?.input.typeName).toBe(
    "kitchen.v1.Dish",
  );
});

test("a guest in a folder of its own builds from the linked package alone", () => {
  const path = folder({
    "assembly/index.ts":
      'import { launch } from "@dropthrough/assemblyscript/assembly";\n' +
      'export function main(): void { launch("x").runOrExit(); }\n',
  });
  const { status, out } = run(["assembly/index.ts", "--out", "build/guest.wasm", "--debug"], path);
  expect([status, out]).toEqual([0, expect.stringMatching(/^build\/guest\.wasm: \d+ bytes\n$/)]);
  expect(WebAssembly.validate(readFileSync(join(path, "build/guest.wasm")))).toBe(true);
});

test("descriptors of the log come with the package, beside those that the guest has", async () => {
  const descriptors = join(root, "test/assembly/gen");
  const options = { name: "", version: "", exports: ["kitchen.v1.KitchenService"] };
  const requires = ["dropthrough.log.v1.LogService"];
  const bytes = await encodeManifest({ ...options, requires, descriptors: [descriptors] });
  const files = fromBinary(ManifestSchema, bytes).descriptors?.file.map(({ name }) => name);
  expect(files).toContain("kitchen/v1/kitchen.proto");
  expect(files).toContain("dropthrough/log/v1/log.proto");
});

test("a guest with errors is refused with asc's report", () => {
  const path = folder({ "g.ts": "export function main(): void { const x: i32 = 'a'; }\n" });
  const { status, out } = run(["g.ts", "-o", "g.wasm"], path);
  expect(status).toBe(1);
  expect(out).toMatch(/ERROR TS\d+: .*String.* is not assignable to type 'i32'/);
  expect(out).toContain("g.ts(1,");
});

test("warnings of the compiler are shown and the guest is built", () => {
  const path = folder({ "g.ts": "export function main(): void { if (<u8>5 == null) return; }\n" });
  const { status, out } = run(["g.ts", "-o", "g.wasm"], path);
  expect([status, out]).toEqual([0, expect.stringMatching(/^g\.wasm: \d+ bytes\nWARNING AS226:/)]);
});

test("a guest without main is refused with the line that is missing", () => {
  const { status, out } = run(
    ["g.ts", "-o", "g.wasm"],
    folder({ "g.ts": "export const x: i32 = 1;\n" }),
  );
  expect(status).toBe(1);
  expect(out).toContain(
    "g.ts must export the function that runs the guest: export function main(): void",
  );
});

test("an entry that is not there is named", () => {
  const { status, out } = run(["nowhere.ts", "-o", "g.wasm"], folder({}));
  expect(status).toBe(1);
  expect(out).toContain("nowhere.ts cannot be read");
});

test("a guest that reaches past the ABI is refused, and told what to do instead", () => {
  const path = folder({
    "g.ts":
      "export function main(): void { if (Math.random() > 2) trace('x'); assert(Date.now() > 0); }\n",
  });
  const { status, out } = run(["g.ts", "-o", "g.wasm"], path);
  expect(status).toBe(1);
  for (const hint of [
    "env.seed: Math.random()",
    "env.trace: trace()",
    "env.Date.now: Date.now()",
  ]) {
    expect(out).toContain(hint);
  }
});

test.each([
  [["--exports", "kitchen.v1.KitchnService"], "no descriptors of kitchen.v1.KitchnService in"],
  [["--requires", "Kitchen"], '"Kitchen" is no service name; write it as package.Service'],
  [["--exports", "a.v1.A", "--descriptors", "nowhere"], "there is no file or folder nowhere"],
])("%j is refused before anything is compiled", (flags, why) => {
  const { status, out } = run([kitchen, "-o", "x.wasm", ...flags]);
  expect(status).toBe(1);
  expect(out).toContain(why);
});

test.each([
  [[], "which guest?"],
  [["g.ts"], "where to?"],
  [["g.ts", "h.ts", "-o", "x"], 'what is "h.ts"?'],
  [["g.ts", "--outt", "x"], "--outt"],
])("the command line %j is refused with the usage", (args, why) => {
  const { status, out } = run(args);
  expect(status).toBe(1);
  expect(out).toContain(why);
  expect(out).toContain("Usage: dropthrough-as");
});

test("--help prints the usage", () => {
  expect(run(["--help"])).toEqual({
    status: 0,
    out: expect.stringContaining("Usage: dropthrough-as <entry.ts>"),
  });
});
