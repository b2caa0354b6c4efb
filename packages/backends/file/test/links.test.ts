import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { file } from "../src/index.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "dropthrough-links-"));
  mkdirSync(join(base, "mount/d"), { recursive: true });
  mkdirSync(join(base, "outside/sub"), { recursive: true });
  writeFileSync(join(base, "outside/secret"), "secret");
  symlinkSync("../outside", join(base, "mount/out"));
  symlinkSync("../../outside/secret", join(base, "mount/d/secret"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

describe("what changes names never reaches through a link to the outside", () => {
  test("every call answers PERMISSION_DENIED, and nothing outside has changed", async () => {
    const client = inMemory(
      file({ mounts: { "/data": { path: join(base, "mount"), write: true } } }),
    ).client();
    const data = new TextEncoder().encode("x");
    for (const call of [
      client.writeFile({ path: "/data/out/new", data }),
      client.writeFile({ path: "/data/out/secret", data, sync: true }),
      client.readFile({ path: "/data/out/secret" }),
      client.readFile({ path: "/data/d/secret" }),
      client.makeDirectory({ path: "/data/out/dir" }),
      client.makeDirectory({ path: "/data/out/dir/deeper", parents: true }),
      client.remove({ path: "/data/out/secret" }),
      client.remove({ path: "/data/out/sub", recursive: true }),
      client.rename({ from: "/data/out/secret", to: "/data/stolen" }),
      client.rename({ from: "/data/d", to: "/data/out/d" }),
      client.copy({ from: "/data/out/secret", to: "/data/stolen" }),
      client.copy({ from: "/data/d/secret", to: "/data/stolen" }),
      client.copy({ from: "/data/d/secret", to: "/data/out/secret" }),
    ]) {
      expect(await codeOf(call)).toBe(Code.PermissionDenied);
    }
    expect(readdirSync(join(base, "outside"))).toEqual(["secret", "sub"]);
    expect(readFileSync(join(base, "outside/secret"), "utf8")).toBe("secret");
  });

  test("a link itself is removed, renamed or replaced, and what it leads to stays", async () => {
    const client = inMemory(
      file({ mounts: { "/data": { path: join(base, "mount"), write: true } } }),
    ).client();
    await client.rename({ from: "/data/out", to: "/data/other" });
    await client.remove({ path: "/data/other" });
    await client.writeFile({ path: "/data/d/secret", data: new TextEncoder().encode("mine") });
    expect(readFileSync(join(base, "mount/d/secret"), "utf8")).toBe("mine");
    symlinkSync("../../outside", join(base, "mount/d/out"));
    await client.remove({ path: "/data/d", recursive: true });
    expect(existsSync(join(base, "mount/d"))).toBe(false);
    expect(readdirSync(join(base, "outside"))).toEqual(["secret", "sub"]);
    expect(readFileSync(join(base, "outside/secret"), "utf8")).toBe("secret");
  });

  test("a read-only mount refuses every change", async () => {
    const client = inMemory(
      file({ mounts: { "/data": { path: join(base, "mount") }, "/tmp": { memory: true } } }),
    ).client();
    const data = new TextEncoder().encode("x");
    await client.writeFile({ path: "/tmp/a", data });
    for (const call of [
      client.writeFile({ path: "/data/new", data }),
      client.makeDirectory({ path: "/data/new" }),
      client.remove({ path: "/data/d", recursive: true }),
      client.rename({ from: "/data/d", to: "/data/e" }),
      client.copy({ from: "/tmp/a", to: "/data/a" }),
    ]) {
      expect(await codeOf(call)).toBe(Code.PermissionDenied);
    }
    expect(readdirSync(join(base, "mount"))).toEqual(["d", "out"]);
  });
});
