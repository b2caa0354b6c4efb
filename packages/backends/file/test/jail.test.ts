import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileService, Whence } from "../src/index.ts";
import { bytes, CALLS, codeOf, Jail } from "./jail.ts";

const { InvalidArgument, PermissionDenied, FailedPrecondition } = Code;
let jail: Jail;
beforeEach(() => void (jail = new Jail()));
afterEach(() => jail[Symbol.asyncDispose]());

describe("links that a guest", () => {
  test("moves to where they lead out, lead nowhere: what counts is where they are when they are followed", async () => {
    mkdirSync(jail.inside("sub/deeper"));
    symlinkSync("../..", jail.inside("sub/deeper/up"));
    symlinkSync("../../a.txt", jail.inside("sub/deeper/file"));
    await jail.mount("disk");
    expect(
      (await jail.client.list({ path: "/data/sub/deeper/up" })).entries.map((e) => e.name),
    ).toEqual(["a.txt", "sub"]);
    await jail.client.rename({ from: "/data/sub/deeper/up", to: "/data/up" });
    await jail.client.rename({ from: "/data/sub/deeper", to: "/data/deeper" });
    await jail.client.rename({ from: "/data/deeper/file", to: "/data/file" });
    for (const path of ["/data/up", "/data/up/outside", "/data/up/outside/secret", "/data/file"]) {
      expect(await codeOf(jail.client.list({ path })), path).toBe(PermissionDenied);
      expect(await codeOf(jail.client.open({ path, read: true })), path).toBe(PermissionDenied);
    }
  });

  test("could make, times and permissions that it could set: there is no call for any of them", () => {
    const made = FileService.methods
      .map((method) => method.name)
      .filter((name) => /link|chmod|mode|owner|time|node|mount/i.test(name));
    expect(made).toEqual([]);
  });

  test("finds as hard links are files of the mount, and Copy and WriteFile do not write through them to the outside", async () => {
    linkSync(join(jail.outside, "secret"), jail.inside("hard"));
    await jail.mount("disk");
    await jail.client.writeFile({ path: "/data/hard", data: bytes("mine") });
    expect(readFileSync(join(jail.outside, "secret"), "utf8")).toBe("SECRET");
    expect(readFileSync(jail.inside("hard"), "utf8")).toBe("mine");
  });
});

describe("renames", () => {
  test("between mounts are refused, be they of one folder, and a read-only one gives and takes nothing (GHSA-4ch3-9j33-3pmj)", async () => {
    const path = jail.inside("");
    await jail.use({ "/ro": { path }, "/rw": { path, write: true }, "/m": { memory: true } });
    await jail.client.writeFile({ path: "/m/own", data: bytes("own") });
    for (const [from, to, code] of [
      ["/ro/a.txt", "/rw/b", PermissionDenied],
      ["/ro/a.txt", "/m/b", PermissionDenied],
      ["/rw/a.txt", "/ro/b", PermissionDenied],
      ["/m/own", "/ro/b", PermissionDenied],
      ["/rw/a.txt", "/m/b", FailedPrecondition],
      ["/m/own", "/rw/b", FailedPrecondition],
    ] as const)
      expect(await codeOf(jail.client.rename({ from, to })), `${from} to ${to}`).toBe(code);
    expect(readdirSync(path).toSorted()).toEqual(["a.txt", "sub"]);
  });
});

test.each(["disk", "single file"] as const)(
  "O_TRUNC on a read-only %s mount, or on a file opened to read, truncates nothing (GHSA-2r75-cxrj-cmph)",
  async (kind) => {
    await jail.mount(kind, false);
    const path = kind === "disk" ? "/data/a.txt" : "/data";
    expect(await codeOf(jail.client.open({ path, read: true, truncate: true }))).toBe(
      InvalidArgument,
    );
    expect(await codeOf(jail.client.open({ path, write: true, truncate: true }))).toBe(
      PermissionDenied,
    );
    expect(await codeOf(jail.client.open({ path, read: true, write: true, truncate: true }))).toBe(
      PermissionDenied,
    );
    const { handle } = await jail.client.open({ path, read: true });
    expect(await codeOf(jail.client.truncate({ handle }))).toBe(FailedPrecondition);
    expect(await codeOf(jail.client.write({ handle, data: bytes("x") }))).toBe(FailedPrecondition);
    expect(readFileSync(jail.inside("a.txt"), "utf8")).toBe("inside");
  },
);

test("a socket is refused without waiting, whatever is asked of it", async () => {
  const server: Server = createServer().listen(jail.inside("socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  await jail.mount("disk");
  for (const [name, call] of Object.entries(CALLS))
    expect(await codeOf(call(jail.client, "/data/socket")), name).toBe(Code.FailedPrecondition);
  await new Promise((resolve) => server.close(resolve));
});

test("huge and sparse files end where the disk or the quota does, and cost what they hold", async () => {
  await jail.mount("disk");
  const { handle } = await jail.client.open({ path: "/data/huge", write: true, create: true });
  const size = 2n ** 53n - 1n;
  for (const call of [
    jail.client.writeAt({ handle, offset: size - 1n, data: bytes("x") }),
    jail.client.truncate({ handle, size }),
  ]) {
    const code = await codeOf(call);
    // How long a file may be is for its file system to say: 16 TiB are most on ext4, others take more than 2^53 bytes.
    if (code === 0) expect((await jail.client.stat({ path: "/data/huge" })).info?.size).toBe(size);
    else expect(code).toBe(Code.ResourceExhausted);
  }
  await jail.client.truncate({ handle });
  await jail.client.writeAt({ handle, offset: 2n ** 33n, data: bytes("x") });
  const reader = (await jail.client.open({ path: "/data/huge", read: true })).handle;
  const { info } = await jail.client.stat({ path: "/data/huge" });
  expect(info?.size).toBe(2n ** 33n + 1n);
  expect((await jail.client.readAt({ handle: reader, offset: 2n ** 33n })).data).toEqual(
    bytes("x"),
  );
  expect(await jail.client.seek({ handle: reader, offset: -1n, whence: Whence.END })).toMatchObject(
    {
      offset: 2n ** 33n,
    },
  );
  expect((await jail.client.read({ handle: reader, length: 9 })).data).toEqual(bytes("x"));
  expect(statSync(jail.inside("huge")).blocks * 512).toBeLessThan(1_000_000);
  expect(await codeOf(jail.client.readFile({ path: "/data/huge" }))).toBe(Code.ResourceExhausted);
  const inMemoryHandle = (await jail.client.open({ path: "/tmp/huge", write: true, create: true }))
    .handle;
  expect(
    await codeOf(
      jail.client.writeAt({ handle: inMemoryHandle, offset: 2n ** 33n, data: bytes("x") }),
    ),
  ).toBe(Code.ResourceExhausted);
});

test("while a folder on the way is swapped for a link to the outside, no call changes anything there", async () => {
  symlinkSync("../outside", jail.inside("evil"));
  const swapper = `
    const { renameSync } = require("node:fs");
    process.chdir(${JSON.stringify(jail.inside(""))});
    process.on("disconnect", () => process.exit());
    process.send("ready");
    (function swap() {
      for (let i = 0; i < 100; i++) { renameSync("sub", "x"); renameSync("evil", "sub"); renameSync("sub", "evil"); renameSync("x", "sub"); }
      setImmediate(swap);
    })();`;
  const { fork } = await import("node:child_process");
  const script = join(jail.base, "swap.cjs");
  writeFileSync(script, swapper);
  await jail.mount("disk");
  const child = fork(script);
  await new Promise((resolve) => child.once("message", resolve));
  const seen = new Set<Code | 0>();
  for (let i = 0; i < 1_000; i++) {
    for (const call of [
      jail.client.writeFile({ path: "/data/sub/new", data: bytes("x") }),
      jail.client
        .open({ path: "/data/sub/secret", write: true, create: true, truncate: true })
        .then(({ handle }) => jail.client.close({ handle })),
      jail.client.makeDirectory({ path: "/data/sub/folder" }),
      jail.client.rename({ from: "/data/sub/secret", to: "/data/sub/stolen" }),
      jail.client.rename({ from: "/data/sub/stolen", to: "/data/stolen" }),
      jail.client.remove({ path: "/data/sub/secret" }),
      jail.client.remove({ path: "/data/sub/folder", recursive: true }),
      jail.client.copy({ from: "/tmp/own", to: "/data/sub/secret" }),
    ])
      seen.add(await codeOf(call));
  }
  child.kill();
  await new Promise((resolve) => child.once("exit", resolve));
  expect([...seen]).toEqual(expect.arrayContaining([0, PermissionDenied]));
  expect(readdirSync(jail.outside)).toEqual(["secret"]);
  expect(readFileSync(join(jail.outside, "secret"), "utf8")).toBe("SECRET");
});
