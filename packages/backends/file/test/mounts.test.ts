import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { file, type FileService } from "../src/index.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "dropthrough-mounts-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

test.each([[""], [null], [7]])(
  "a mount whose path is %j is refused: it is not the working directory",
  (path) => {
    expect(() => file({ mounts: { "/d": { path: path as string } } })).toThrow(
      'the mount "/d": "path" must be a path of the host',
    );
  },
);

test("a mount that is there twice is refused, unless no guest has both", async () => {
  const memory = true as const;
  for (const other of ["/d/", "//d"])
    expect(() => file({ mounts: { "/d": { memory }, [other]: { path: folder } } })).toThrow(
      "is there twice for the same guest",
    );
  expect(() =>
    file({ mounts: { "/d": { memory, guests: ["a", "b"] }, "/d/": { memory, guests: ["b"] } } }),
  ).toThrow("is there twice");
  await using own = inMemory(
    file({ mounts: { "/d": { memory, guests: ["a"] }, "/d/": { memory, guests: ["b"] } } }),
  );
  await own.client("a").writeFile({ path: "/d/f" });
  expect((await own.client("b").list({ path: "/d" })).entries).toEqual([]);
});

async function within(
  kind: "disk" | "memory",
  act: (client: Client<typeof FileService>) => Promise<void>,
): Promise<void> {
  const data = kind === "disk" ? { path: folder, write: true } : { memory: true as const };
  await using memory = inMemory(file({ mounts: { "/d": data } }));
  await act(memory.client());
}

test.each(["disk", "memory"] as const)(
  "a slash behind a name says that it is a directory, to what changes names too, on a %s mount",
  (kind) =>
    within(kind, async (client) => {
      await client.writeFile({ path: "/d/f" });
      for (const call of [
        client.remove({ path: "/d/f/" }),
        client.remove({ path: "/d/f/", recursive: true }),
        client.writeFile({ path: "/d/f/" }),
        client.writeFile({ path: "/d/new/" }),
        client.writeFile({ path: "/d/new/", sync: true }),
        client.rename({ from: "/d/f/", to: "/d/g" }),
        client.rename({ from: "/d/f", to: "/d/g/" }),
      ])
        expect(await codeOf(call)).toBe(Code.FailedPrecondition);
      await client.makeDirectory({ path: "/d/x/" });
      await client.rename({ from: "/d/x/", to: "/d/y/" });
      await client.remove({ path: "/d/y/" });
      expect((await client.list({ path: "/d" })).entries.map(({ name }) => name)).toEqual(["f"]);
    }),
);

test("a slash behind a link changes neither the link nor what it leads to", () =>
  within("disk", async (client) => {
    mkdirSync(join(folder, "x"));
    symlinkSync("x", join(folder, "link"));
    for (const call of [
      client.remove({ path: "/d/link/" }),
      client.remove({ path: "/d/link/", recursive: true }),
      client.rename({ from: "/d/link/", to: "/d/y" }),
    ])
      expect(await codeOf(call)).toBe(Code.FailedPrecondition);
    expect(existsSync(join(folder, "link"))).toBe(true);
    expect(existsSync(join(folder, "x"))).toBe(true);
  }));

test("what is not done when the backend is disposed touches nothing of another that is made then", async () => {
  const [mine, theirs] = [join(folder, "mine"), join(folder, "theirs")];
  for (const path of [mine, theirs]) mkdirSync(join(path, "x"), { recursive: true });
  for (let i = 0; i < 3000; i++) writeFileSync(join(mine, "x", `${i}`), "");
  const memory = inMemory(file({ mounts: { "/d": { path: mine, write: true } } }));
  const removing = codeOf(memory.client().remove({ path: "/d/x", recursive: true }));
  const writing = codeOf(memory.client().writeFile({ path: "/d/f", sync: true }));
  await memory[Symbol.asyncDispose]();
  await using _ = inMemory(file({ mounts: { "/d": { path: theirs, write: true } } }));
  await Promise.all([removing, writing]);
  await expect.poll(() => existsSync(join(mine, "x"))).toBe(false);
  expect(existsSync(join(theirs, "x"))).toBe(true);
  expect(existsSync(join(mine, "f"))).toBe(true);
});

test("what begins when the backend is disposed already finds nothing, and nothing of another that is made then", async () => {
  const [mine, theirs] = [join(folder, "mine"), join(folder, "theirs")];
  for (const path of [mine, theirs]) mkdirSync(path);
  const { promise: later, resolve: release } = Promise.withResolvers<void>();
  const memory = inMemory(file({ mounts: { "/d": { path: mine, write: true } } }), {
    interceptors: [(next) => async (request) => later.then(() => next(request))],
  });
  const written = codeOf(memory.client().writeFile({ path: "/d/f" }));
  await memory[Symbol.asyncDispose]();
  await using _ = inMemory(file({ mounts: { "/d": { path: theirs, write: true } } }));
  release();
  expect(await written).toBe(Code.NotFound);
  expect(existsSync(join(theirs, "f"))).toBe(false);
});
