import { spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { file, type FileOptions, type FileService, FileType } from "../src/index.ts";

let base: string;
let memory: InMemory<typeof FileService>;

/** A folder `mount` that guests see as /data, beside `outside`, which they must never see. */
function mounted(options: Partial<FileOptions> = {}, write = true): InMemory<typeof FileService> {
  return inMemory(file({ mounts: { "/data": { path: join(base, "mount"), write } }, ...options }));
}

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "dropthrough-file-"));
  mkdirSync(join(base, "mount/sub"), { recursive: true });
  mkdirSync(join(base, "outside"));
  writeFileSync(join(base, "outside/secret"), "secret");
  writeFileSync(join(base, "mount/a.txt"), "hello");
  writeFileSync(join(base, "mount/sub/b.txt"), "deep");
  memory = mounted();
});

afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

/** What a file holds, read in pieces. */
async function content(path: string, length = 3): Promise<string> {
  const client = memory.client();
  const { handle } = await client.open({ path, read: true });
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { data } = await client.read({ handle, length });
    if (data.length === 0) break;
    chunks.push(data);
  }
  await client.close({ handle });
  return Buffer.concat(chunks).toString();
}

describe("a file", () => {
  test("is read in pieces, and nothing more means its end", async () => {
    expect(await content("/data/a.txt")).toBe("hello");
    expect(await content("/data/sub/../a.txt")).toBe("hello");
    expect(await content("//data//sub/./b.txt", 0)).toBe("deep");
  });

  test("is written, made, emptied and appended to as asked, and its bytes are there", async () => {
    const client = memory.client();
    const put = async (flags: object, text: string): Promise<void> => {
      const { handle } = await client.open({ path: "/data/new", write: true, ...flags });
      await client.write({ handle, data: Buffer.from(text) });
      await client.close({ handle });
    };
    await put({ create: true, exclusive: true }, "0123456789");
    await put({}, "ab");
    expect(readFileSync(join(base, "mount/new"), "utf8")).toBe("ab23456789");
    await put({ append: true }, "!");
    expect(readFileSync(join(base, "mount/new"), "utf8")).toBe("ab23456789!");
    await put({ truncate: true }, "z");
    expect(readFileSync(join(base, "mount/new"), "utf8")).toBe("z");
    expect(
      await codeOf(client.open({ path: "/data/new", write: true, create: true, exclusive: true })),
    ).toBe(Code.AlreadyExists);
  });

  test("is described with its size and time", async () => {
    const { info } = await memory.client().stat({ path: "/data/a.txt" });
    expect(info).toMatchObject({ type: FileType.REGULAR, size: 5n });
    expect(info?.modifiedNs).toBeGreaterThan(10n ** 18n);
    expect(info?.modifiedNs).toBe(statSync(join(base, "mount/a.txt"), { bigint: true }).mtimeNs);
    expect((await memory.client().stat({ path: "/data" })).info?.type).toBe(FileType.DIRECTORY);
  });
});

describe("a directory", () => {
  test("is listed in the order of the bytes of its names, a page at a time", async () => {
    for (const name of ["ü", "Z", "a", "é"]) writeFileSync(join(base, "mount/sub", name), "");
    symlinkSync("b.txt", join(base, "mount/sub/link"));
    const names: string[] = [];
    let cursor: Uint8Array = new Uint8Array();
    do {
      const page = await memory.client().list({ path: "/data/sub", cursor, limit: 2 });
      names.push(...page.entries.map((entry) => `${entry.name}:${entry.type}`));
      cursor = page.cursor;
    } while (cursor.length > 0);
    expect(names).toEqual(["Z:1", "a:1", "b.txt:1", "link:3", "é:1", "ü:1"]);
  });

  test("tells how many of its names are not UTF-8, and lists the others", async () => {
    writeFileSync(Buffer.concat([Buffer.from(join(base, "mount/sub/")), Buffer.of(0xff)]), "");
    const page = await memory.client().list({ path: "/data/sub" });
    expect(page.entries.map((entry) => entry.name)).toEqual(["b.txt"]);
    expect(page.unnamable).toBe(1);
  });
});

describe("bad input is answered with a code:", () => {
  test.each([
    ["a path that is not absolute", { path: "data/a.txt", read: true }, Code.InvalidArgument],
    ["an empty path", { path: "", read: true }, Code.InvalidArgument],
    ["a path with NUL", { path: "/data/a\0.txt", read: true }, Code.InvalidArgument],
    [
      "a path that is too long",
      { path: `/data/${"x/".repeat(3000)}`, read: true },
      Code.InvalidArgument,
    ],
    [
      "a name that is too long",
      { path: `/data/${"x".repeat(300)}`, read: true },
      Code.InvalidArgument,
    ],
    ["no mount", { path: "/etc/passwd", read: true }, Code.NotFound],
    ["no file", { path: "/data/none", read: true }, Code.NotFound],
    ["a file on the way", { path: "/data/a.txt/x", read: true }, Code.FailedPrecondition],
    ["a slash behind a file", { path: "/data/a.txt/", read: true }, Code.FailedPrecondition],
    ["a directory", { path: "/data/sub", read: true }, Code.FailedPrecondition],
    ["the mount itself", { path: "/data", write: true }, Code.FailedPrecondition],
    ["neither read nor write", { path: "/data/a.txt" }, Code.InvalidArgument],
    [
      "create without write",
      { path: "/data/a.txt", read: true, create: true },
      Code.InvalidArgument,
    ],
    [
      "truncate without write",
      { path: "/data/a.txt", read: true, truncate: true },
      Code.InvalidArgument,
    ],
  ])("%s", async (_, request, code) => {
    expect(await codeOf(memory.client().open(request))).toBe(code);
  });

  test("a handle that is not open, or not open for this, or of another guest", async () => {
    const { handle } = await memory.client("a").open({ path: "/data/a.txt", read: true });
    expect(await codeOf(memory.client("a").write({ handle, data: Uint8Array.of(1) }))).toBe(
      Code.FailedPrecondition,
    );
    expect(await codeOf(memory.client("b").read({ handle }))).toBe(Code.NotFound);
    await memory.client("a").close({ handle });
    expect(await codeOf(memory.client("a").close({ handle }))).toBe(Code.NotFound);
  });

  test("more open files than a guest may have", async () => {
    memory = mounted({ limits: { handles: 2 } });
    const client = memory.client();
    const first = await client.open({ path: "/data/a.txt", read: true });
    await client.open({ path: "/data/a.txt", read: true });
    expect(await codeOf(client.open({ path: "/data/a.txt", read: true }))).toBe(
      Code.ResourceExhausted,
    );
    await client.close({ handle: first.handle });
    expect(await codeOf(client.open({ path: "/data/a.txt", read: true }))).toBe(0);
  });

  test("a read-only mount, and nothing is changed by trying", async () => {
    memory = mounted({}, false);
    for (const flags of [{}, { truncate: true }, { create: true }, { append: true }]) {
      expect(
        await codeOf(memory.client().open({ path: "/data/a.txt", write: true, ...flags })),
      ).toBe(Code.PermissionDenied);
    }
    expect(readFileSync(join(base, "mount/a.txt"), "utf8")).toBe("hello");
  });

  test("a file that the operating system does not let the host read", () => {
    chmodSync(join(base, "mount/a.txt"), 0);
    const program = `
      import { file } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      import { inMemory } from "@dropthrough/dispatch/testing";
      const memory = inMemory(file({ mounts: { "/data": { path: ${JSON.stringify(join(base, "mount"))} } } }));
      await memory.client().open({ path: "/data/a.txt", read: true }).then(() => console.log("opened"), (e) => console.log(e.message));`;
    // Root may read everything, unless it gives that up.
    const asRoot =
      process.getuid?.() === 0
        ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
        : [];
    const [command, ...args] = [
      ...asRoot,
      process.execPath,
      "--input-type=module",
      "-e",
      program,
    ] as const;
    const { stdout, stderr } = spawnSync(command, args, {
      cwd: import.meta.dirname,
      encoding: "utf8",
    });
    expect(stdout, stderr).toBe(
      "[permission_denied] /data/a.txt: the operating system does not allow it\n",
    );
  });
});

describe("a guest cannot leave its mount", () => {
  const secret = async (path: string): Promise<string> => {
    const texts = [await content(path).catch((error: unknown) => ConnectError.from(error).message)];
    const listed = await memory
      .client()
      .list({ path })
      .catch((error: unknown) => ConnectError.from(error).message);
    texts.push(typeof listed === "string" ? listed : listed.entries.map((e) => e.name).join());
    expect(texts.join()).not.toContain("secret,");
    expect(texts.join()).not.toContain(base);
    return texts.join();
  };

  test.each([
    "/data/../outside/secret",
    "/data/sub/../../outside/secret",
    "/data/..",
    "/data/../mount/a.txt",
    "/../data/../../outside",
  ])("by %s", async (path) => {
    expect(await secret(path)).toMatch(/permission_denied|not_found/);
  });

  test.each([
    ["to the parent", "..", "/outside/secret"],
    ["to the parent, with a slash behind", "../", "/outside/secret"],
    ["to a folder outside", "../outside", "/secret"],
    ["to a folder outside, by a detour", "sub/../../outside/", "/secret"],
    ["that is absolute", "/etc", "/passwd"],
    ["to a magic link", "/proc/self/root", "/etc/passwd"],
    ["to a file outside", "../outside/secret", ""],
  ])("by a link %s", async (_, target, rest) => {
    symlinkSync(target, join(base, "mount/link"));
    symlinkSync("link", join(base, "mount/chain"));
    expect(await secret(`/data/link${rest}`)).toContain("permission_denied");
    expect(await secret(`/data/chain${rest}`)).toContain("permission_denied");
    expect(
      await codeOf(
        memory.client().open({ path: `/data/link${rest}`, write: true, truncate: true }),
      ),
    ).toBe(Code.PermissionDenied);
    expect(readFileSync(join(base, "outside/secret"), "utf8")).toBe("secret");
  });

  test("by creating through a link that leads outside to nothing", async () => {
    symlinkSync("../outside/new", join(base, "mount/link"));
    expect(
      await codeOf(memory.client().open({ path: "/data/link", write: true, create: true })),
    ).toBe(Code.PermissionDenied);
    expect(readdirSync(join(base, "outside"))).toEqual(["secret"]);
  });

  test("but links inside lead where they say, up to 40 of them", async () => {
    symlinkSync("../a.txt", join(base, "mount/sub/up"));
    symlinkSync("sub/", join(base, "mount/dir"));
    expect(await content("/data/dir/up")).toBe("hello");
    symlinkSync("loop", join(base, "mount/loop"));
    expect(await codeOf(memory.client().open({ path: "/data/loop", read: true }))).toBe(
      Code.FailedPrecondition,
    );
  });

  test("while a folder on the way is swapped for a link to the outside, over and over", async () => {
    // A second process swaps mount/sub and a link to outside, as fast as it can.
    writeFileSync(join(base, "mount/sub/secret"), "inside");
    symlinkSync("../outside", join(base, "mount/evil"));
    const swapper = `
      const { renameSync } = require("node:fs");
      process.chdir(${JSON.stringify(join(base, "mount"))});
      process.on("disconnect", () => process.exit());
      process.send("ready");
      (function swap() {
        for (let i = 0; i < 100; i++) { renameSync("sub", "x"); renameSync("evil", "sub"); renameSync("sub", "evil"); renameSync("x", "sub"); }
        setImmediate(swap);
      })();`;
    const { fork } = await import("node:child_process");
    const script = join(base, "swap.cjs");
    writeFileSync(script, swapper);
    const child = fork(script);
    await new Promise((resolve) => child.once("message", resolve));
    const seen = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const text = await content("/data/sub/secret", 0).catch(
        (error: unknown) => Code[ConnectError.from(error).code] ?? "",
      );
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    child.kill();
    await new Promise((resolve) => child.once("exit", resolve));
    expect([...seen.keys()]).not.toContain("secret");
    expect(seen.get("inside")).toBeGreaterThan(0);
    expect(seen.get("PermissionDenied") ?? 0).toBeGreaterThan(0);
  });
});

describe("what is no regular file is refused without waiting:", () => {
  test("a FIFO, a socket and a device", async () => {
    spawnSync("mkfifo", [join(base, "mount/fifo")]);
    const server = createServer().listen(join(base, "mount/socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    for (const name of ["fifo", "socket"]) {
      expect(await codeOf(memory.client().open({ path: `/data/${name}`, read: true })), name).toBe(
        Code.FailedPrecondition,
      );
      expect(await codeOf(memory.client().open({ path: `/data/${name}`, write: true })), name).toBe(
        Code.FailedPrecondition,
      );
      expect((await memory.client().stat({ path: `/data/${name}` })).info?.type).toBe(
        FileType.SPECIAL,
      );
    }
    await new Promise((resolve) => server.close(resolve));
    const devices = inMemory(file({ mounts: { "/dev": { path: "/dev" } } }));
    expect(await codeOf(devices.client().open({ path: "/dev/zero", read: true }))).toBe(
      Code.FailedPrecondition,
    );
  });
});

test("what a guest opened is closed when it ends, and nothing else stays open", async () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  const before = open();
  for (let i = 0; i < 20; i++)
    await memory.client("guest").open({ path: "/data/sub/b.txt", read: true });
  await codeOf(memory.client("guest").open({ path: "/data/sub/none", read: true }));
  await codeOf(memory.client("guest").open({ path: "/data/sub/../../x", read: true }));
  expect(open()).toBe(before + 20);
  await memory.end("guest");
  expect(open()).toBe(before);
});

test("a file that is renamed or linked while it is open is still the one that was opened", async () => {
  const client = memory.client();
  const { handle } = await client.open({ path: "/data/a.txt", read: true });
  renameSync(join(base, "mount/a.txt"), join(base, "mount/b.txt"));
  linkSync(join(base, "outside/secret"), join(base, "mount/a.txt"));
  expect(Buffer.from((await client.read({ handle })).data).toString()).toBe("hello");
});

test.each([
  [{ mount: {} }, 'file: "mount" is unknown; there is mounts, limits, clock; did you mean mounts?'],
  [{ mounts: { "/a": { pat: "." } } }, 'the mount "/a": give it one of path, memory and stream'],
  [{ mounts: { "/a": { path: ".", memory: true } } }, "give it one of path, memory and stream"],
  [
    { mounts: { "/a": { path: ".", writ: true } } },
    'the mount "/a": "writ" is unknown; there is path, write, guests, quota, entries; did you mean write?',
  ],
  [{ mounts: { "/a": { path: ".", write: "false" } } }, '"write" must be true or false'],
  [{ mounts: { "/a": { memory: false } } }, '"memory" must be true'],
  [{ mounts: { "/a": { memory: true, entries: "many" } } }, '"entries" must be a number'],
  [{ mounts: { "/a": { memory: true, guests: "a" } } }, '"guests" must be a list of names'],
  [{ mounts: { "/a": null } }, "it must be an object"],
  [{}, "file: give it mounts"],
  [{ mounts: {}, limits: { handle: 1 } }, 'file: limits: "handle" is unknown; there is handles'],
  [{ mounts: {}, limits: { handles: NaN } }, '"handles" must be a number, 0 or more'],
])("options that are none, as a file may hold them, are refused: %j", (options, message) => {
  expect(() => file(options as never)).toThrow(message);
});

test("a limit that is undefined is the default, and not none", async () => {
  const backend = file({
    mounts: { "/m": { memory: true } },
    limits: { handles: undefined } as object,
  });
  await using limited = inMemory(backend);
  const client = limited.client();
  await client.writeFile({ path: "/m/a" });
  const open = async (): Promise<unknown> => client.open({ path: "/m/a", read: true });
  for (let i = 0; i < 256; i++) await open();
  await expect(open()).rejects.toMatchObject({ code: Code.ResourceExhausted });
});

test("a mount that is not there, or not absolute, is refused when it is made", () => {
  expect(() => file({ mounts: { data: { path: "." } } })).toThrow(
    'the mount "data" must be an absolute path',
  );
  expect(() => file({ mounts: { "/data": { path: "/nowhere/at/all" } } })).toThrow(
    'the mount "/data" leads to /nowhere/at/all, which cannot be opened',
  );
});
