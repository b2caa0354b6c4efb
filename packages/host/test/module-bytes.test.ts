import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createHost, type GuestConfig, GuestError } from "../src/index.ts";
import { FACADE } from "./control.ts";
import { command, facade, start } from "./deployment.ts";

const folder = mkdtempSync(join(tmpdir(), "dropthrough-module-"));
afterAll(() => rmSync(folder, { recursive: true }));
const bytes = command(() => "");

/** Why a host does not start with a guest. */
async function refusal(guest: Omit<GuestConfig, "name">): Promise<string> {
  await using host = createHost({ guests: [{ name: "big", ...guest }] });
  const error: unknown = await host.start().catch((e: unknown) => e);
  expect(error).toBeInstanceOf(GuestError);
  return (error as GuestError).message;
}

test("a file above moduleBytes is refused, and not read", async () => {
  const module = join(folder, "huge.wasm");
  writeFileSync(module, bytes);
  // More than a process could read, and no place of the disk is taken.
  truncateSync(module, 2 ** 33);
  expect(await refusal({ module })).toBe(
    'guest "big": its module has 8589934592 bytes, above its limit of 134217728: strip its debug information, or raise moduleBytes',
  );
});

test("what has no size is read no further than moduleBytes", async () => {
  const limits = { moduleBytes: 3_000_000 };
  expect(await refusal({ module: "/dev/zero", limits })).toContain(
    "its module has more than 3000000 bytes, above its limit of 3000000",
  );
  const module = join(folder, "pipe");
  execFileSync("mkfifo", [module]);
  const written = writeFile(module, bytes);
  await using host = createHost({ guests: [{ name: "small", module, limits }] });
  await host.start();
  expect(await host.exited).toMatchObject({ code: 0 });
  await written;
});

test("a module of just moduleBytes is loaded, one of a byte more is not, be it a file or bytes", async () => {
  const path = join(folder, "exact.wasm");
  writeFileSync(path, bytes);
  for (const module of [path, bytes]) {
    await using host = createHost({
      guests: [{ name: "exact", module, limits: { moduleBytes: bytes.length } }],
      limits: { moduleBytes: 1 },
    });
    await host.start();
    expect(await host.exited).toMatchObject({ code: 0 });
    expect(await refusal({ module, limits: { moduleBytes: bytes.length - 1 } })).toContain(
      `its module has ${bytes.length} bytes, above its limit of ${bytes.length - 1}`,
    );
  }
});

test("a new version above moduleBytes is refused, and the old one stays", async () => {
  const module = facade(() => "");
  await using host = start([{ name: "facade", module, exports: [FACADE] }], {});
  await host.start();
  const huge = join(folder, "next.wasm");
  writeFileSync(huge, module);
  truncateSync(huge, 2 ** 33);
  await expect(host.replace("facade", huge)).rejects.toThrow(
    'guest "facade": its module has 8589934592 bytes',
  );
  await expect(host.replace("facade", module)).resolves.toBeUndefined();
});
