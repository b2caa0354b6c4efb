import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openFile } from "../src/disk.ts";
import { hostFileSystem } from "../src/file-system.ts";
import { HeldMemory } from "../src/held-memory.ts";
import { Mounts } from "../src/mounts.ts";
import { Quota } from "../src/quota.ts";
import { ReadAhead } from "../src/read-ahead.ts";
import { windowsRefuses } from "../src/windows-name.ts";
import { bytes, codeOf, Jail } from "./jail.ts";

const { NotFound, FailedPrecondition } = Code;
let jail: Jail;
beforeEach(() => void (jail = new Jail()));
afterEach(() => jail[Symbol.asyncDispose]());

describe("a root that is replaced by a link", () => {
  test("is still the folder that the operator mounted", async () => {
    await jail.mount("disk");
    renameSync(jail.inside(""), join(jail.base, "moved"));
    symlinkSync("outside", jail.inside(""));
    expect(await codeOf(jail.client.readFile({ path: "/data/secret" }))).toBe(NotFound);
    expect((await jail.client.readFile({ path: "/data/a.txt" })).data).toEqual(bytes("inside"));
    renameSync(join(jail.base, "moved"), join(jail.base, "elsewhere"));
    await jail.client.writeFile({ path: "/data/new", data: bytes("x") });
    expect(readdirSync(jail.outside)).toEqual(["secret"]);
    expect(existsSync(join(jail.base, "elsewhere/new"))).toBe(true);
  });

  test("is not followed where it is a single file, and a file that replaced it is seen", async () => {
    await jail.mount("single file");
    writeFileSync(jail.inside("next"), "newer");
    renameSync(jail.inside("next"), jail.inside("a.txt"));
    expect((await jail.client.readFile({ path: "/data" })).data).toEqual(bytes("newer"));
    rmSync(jail.inside("a.txt"));
    symlinkSync("../outside/secret", jail.inside("a.txt"));
    expect(await codeOf(jail.client.readFile({ path: "/data" }))).toBe(FailedPrecondition);
    expect(await codeOf(jail.client.open({ path: "/data", write: true, truncate: true }))).toBe(
      FailedPrecondition,
    );
    expect(readFileSync(join(jail.outside, "secret"), "utf8")).toBe("SECRET");
  });

  test("by a guest that moves the folders above it, which another mount shows it, leads nowhere", async () => {
    mkdirSync(jail.inside("x/inner"), { recursive: true });
    mkdirSync(join(jail.outside, "inner"));
    writeFileSync(join(jail.outside, "inner/secret"), "SECRET");
    symlinkSync("../outside", jail.inside("evil"));
    await jail.use({
      "/all": { path: jail.inside(""), write: true },
      "/inner": { path: jail.inside("x/inner"), write: true },
    });
    await jail.client.rename({ from: "/all/x", to: "/all/y" });
    await jail.client.rename({ from: "/all/evil", to: "/all/x" });
    expect(lstatSync(jail.inside("x")).isSymbolicLink()).toBe(true);
    expect(await codeOf(jail.client.readFile({ path: "/inner/secret" }))).toBe(NotFound);
    await jail.client.writeFile({ path: "/inner/new", data: bytes("x") });
    expect(readdirSync(jail.inside("y/inner"))).toEqual(["new"]);
    expect(readdirSync(join(jail.outside, "inner"))).toEqual(["secret"]);
  });
});

describe("elsewhere than on Linux", () => {
  test("a file that was put in the place of the one that was found is not opened", () => {
    // Looks at one file, and opens another: as if it was swapped in between.
    const swapped = {
      ...hostFileSystem,
      openSync: (_: unknown, flags: number) =>
        hostFileSystem.openSync(join(jail.outside, "secret"), flags),
    } as typeof hostFileSystem;
    const quota = new Quota({ bytes: Infinity, entries: Infinity }, { bytes: 0, entries: 0 });
    const disk = {
      kind: "disk",
      fs: swapped,
      root: jail.inside(""),
      file: undefined,
      write: true,
      pinned: false,
      quota,
      quotas: undefined,
      ahead: new ReadAhead(),
    } as const;
    const at = { mount: disk, names: ["a.txt"], path: "/data/a.txt", guest: "test" };
    const read = {
      read: true,
      write: false,
      create: false,
      exclusive: false,
      truncate: false,
      append: false,
    };
    const open = readdirSync("/proc/self/fd").length;
    expect(() => openFile(at, read)).toThrow("/data/a.txt was replaced while it was opened");
    expect(() => openFile(at, { ...read, write: true, truncate: true })).toThrow("was replaced");
    expect(readFileSync(join(jail.outside, "secret"), "utf8")).toBe("SECRET");
    expect(readdirSync("/proc/self/fd")).toHaveLength(open);
    using ordinary = openFile({ ...at, mount: { ...disk, fs: hostFileSystem } }, read);
    expect(Buffer.from(ordinary.copyAt(0, 100)).toString()).toBe("inside");
  });

  test.each([
    ["..\\outside\\secret", true],
    ["C:x", true],
    ["\\\\?\\C:\\x", true],
    ["CON", true],
    ["con.txt", true],
    ["Nul ", true],
    ["lpt1", true],
    ["COM¹", true],
    ["a.txt::$DATA", true],
    ["a.txt.", true],
    ["a.txt ", true],
    ["a?b", true],
    ["a\u0001b", true],
    ["...", true],
    ["..", false],
    [".", false],
    ["a.txt", false],
    [".hidden", false],
    ["console", false],
    ["com10", false],
    ["ä b", false],
  ])("Windows would take the name %j for something else: %s", (name, refused) => {
    expect(windowsRefuses(name)).toBe(refused);
    using mounts = new Mounts({ "/data": { memory: true } }, new HeldMemory(0), "win32");
    if (refused)
      expect(() => mounts.find(`/data/${name}`, "test")).toThrow("is no name of a file here");
    else expect(mounts.find(`/data/${name}`, "test").names).toEqual([name]);
  });
});
