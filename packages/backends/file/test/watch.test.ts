import { Code } from "@connectrpc/connect";
import { ManualClock } from "@dropthrough/dispatch/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { client, codeOf, memory, mount, put, told, watch } from "./watched.ts";

describe.each(["disk", "memory"] as const)("a watch of a %s mount", (kind) => {
  beforeEach(() => mount(kind));

  test("tells what came, changed and went, each name once", async () => {
    await put("/data/old");
    const number = await watch("/data");
    await put("/data/new");
    expect(await told(number, "new")).toEqual(["CREATED new"]);
    const { handle } = await client.open({ path: "/data/old", write: true });
    for (let i = 0; i < 100; i++) await client.write({ handle, data: Buffer.from("x") });
    expect(await told(number, "old")).toEqual(["CHANGED old"]);
    await client.close({ handle });
    await client.remove({ path: "/data/old" });
    expect(await told(number, "old")).toEqual(["REMOVED old"]);
    await client.rename({ from: "/data/new", to: "/data/moved" });
    expect(await told(number, "new", "moved")).toEqual(["REMOVED new", "CREATED moved"]);
    await client.makeDirectory({ path: "/data/d" });
    expect(await told(number, "d")).toEqual(["CREATED d"]);
    await put("/data/d/deep");
    await put("/data/end");
    expect((await told(number, "end")).filter((text) => text.includes("deep"))).toEqual([]);
  });

  test("tells of what is below, if it is recursive, in directories that were there and in those that come", async () => {
    await client.makeDirectory({ path: "/data/a/b", parents: true });
    const number = await watch("/data", true);
    await put("/data/a/b/1");
    expect(await told(number, "a/b/1")).toEqual(["CREATED a/b/1"]);
    await client.makeDirectory({ path: "/data/c" });
    await client.makeDirectory({ path: "/data/c/d" });
    await put("/data/c/d/2");
    expect(await told(number, "c/d/2")).toContain("CREATED c/d/2");
    await client.rename({ from: "/data/a", to: "/data/z" });
    expect(await told(number, "a", "z", "z/b", "z/b/1")).toEqual(
      expect.arrayContaining(["REMOVED a", "CREATED z", "CREATED z/b", "CREATED z/b/1"]),
    );
    await put("/data/z/b/3");
    expect(await told(number, "z/b/3")).toContain("CREATED z/b/3");
    await client.remove({ path: "/data/c", recursive: true });
    expect(await told(number, "c", "c/d/2")).toContain("REMOVED c/d/2");
  });

  test("that nobody reads keeps as many names as it was to, and says how many it lost", async () => {
    const number = await watch("/data", false, 3);
    for (let i = 0; i < 10; i++) await put(`/data/${i}`);
    await expect
      .poll(async () => (await client.readEvents({ watch: number, most: 1 })).events[0]?.path)
      .toBe("7");
    expect(await client.readEvents({ watch: number, most: 1 })).toMatchObject({
      events: [{ path: "8" }],
      lost: 0n,
    });
    const second = await watch("/data", false, 2);
    for (const name of ["a", "b", "c"]) await put(`/data/${name}`);
    await told(number, "c");
    await new Promise(setImmediate);
    expect(await client.readEvents({ watch: second })).toMatchObject({
      events: [{ path: "b" }, { path: "c" }],
      lost: 1n,
    });
  });

  test.each([
    ["ASCII", "n".repeat(246)],
    ["others", "ü".repeat(123)],
  ])("keeps 256 KiB of names at most, of letters that are %s", async (_, name) => {
    const number = await watch("/data", false, 16_384);
    for (let i = 0; i < 1200; i++) await put(`/data/${name}${1000 + i}`);
    await put("/data/last");
    await expect
      .poll(async () => (await client.readEvents({ watch: number, most: 1 })).lost)
      .toBeGreaterThan(100n);
    const { events } = await client.readEvents({ watch: number, most: 16_384 });
    expect(events.length).toBeGreaterThan(1000);
    expect(events.length).toBeLessThanOrEqual(1048);
  });

  test("waits for the first event, no longer than it is to, and for one reader", async () => {
    const number = await watch("/data");
    expect((await client.readEvents({ watch: number })).events).toEqual([]);
    expect((await client.readEvents({ watch: number, waitMs: 5 })).events).toEqual([]);
    const waiting = client.readEvents({ watch: number, waitMs: 10_000 });
    expect(await codeOf(client.readEvents({ watch: number, waitMs: 1 }))).toBe(
      Code.FailedPrecondition,
    );
    await put("/data/a");
    expect((await waiting).events.map(({ path }) => path)).toEqual(["a"]);
    await client.readEvents({ watch: number });
    // Its deadline is one bound more; what comes later is for the next.
    expect(
      await codeOf(client.readEvents({ watch: number, waitMs: 10_000 }, { timeoutMs: 30 })),
    ).toBe(Code.DeadlineExceeded);
    await put("/data/b");
    expect(await told(number, "b")).toContain("CREATED b");
    const cut = codeOf(client.readEvents({ watch: number, waitMs: 10_000 }));
    await client.endWatch({ watch: number });
    expect(await cut).toBe(Code.NotFound);
    expect(await codeOf(client.endWatch({ watch: number }))).toBe(Code.NotFound);
  });

  test("tells that its directory is gone, and has ended then", async () => {
    await client.makeDirectory({ path: "/data/d" });
    await put("/data/d/f");
    const number = await watch("/data/d", true);
    await client.remove({ path: "/data/d", recursive: true });
    expect(await told(number, "f", "")).toEqual(["REMOVED f", "REMOVED "]);
    expect(await codeOf(client.readEvents({ watch: number }))).toBe(Code.NotFound);
  });

  test("is bounded in number, each directory counted, and a tree that is too large is not watched in part", async () => {
    await memory[Symbol.asyncDispose]();
    mount(kind, { watches: 4 });
    for (const name of ["a", "b", "c", "d"]) await client.makeDirectory({ path: `/data/${name}` });
    expect(await codeOf(watch("/data", true))).toBe(Code.ResourceExhausted);
    const numbers = [await watch("/data/a"), await watch("/data/a"), await watch("/data/b")];
    const tree = await watch("/data/c", true);
    expect(await codeOf(watch("/data"))).toBe(Code.ResourceExhausted);
    await client.makeDirectory({ path: "/data/c/new" });
    await put("/data/c/new/unseen");
    let unwatched = 0;
    while (unwatched === 0) {
      ({ unwatched } = await client.readEvents({ watch: tree, waitMs: 10_000 }));
    }
    expect(unwatched).toBe(1);
    for (const number of numbers) await client.endWatch({ watch: number });
    await client.endWatch({ watch: tree });
    expect(await codeOf(watch("/data/c", true))).toBe(0);
  });

  test("is refused for what is no directory, and above its bounds", async () => {
    await put("/data/f");
    expect(await codeOf(watch("/data/f"))).toBe(Code.FailedPrecondition);
    expect(await codeOf(watch("/data/none"))).toBe(Code.NotFound);
    expect(await codeOf(watch("/data/.."))).toBe(Code.PermissionDenied);
    expect(await codeOf(watch("/data", false, 16_385))).toBe(Code.InvalidArgument);
    const number = await watch("/data");
    expect(await codeOf(client.readEvents({ watch: number, most: 16_385 }))).toBe(
      Code.InvalidArgument,
    );
    expect(await codeOf(client.readEvents({ watch: number, waitMs: 60_001 }))).toBe(
      Code.InvalidArgument,
    );
    expect(await codeOf(client.readEvents({ watch: number + 1n }))).toBe(Code.NotFound);
    expect(await codeOf(memory.client("other").readEvents({ watch: number }))).toBe(Code.NotFound);
  });

  test("that is not read for long has ended, and one that is waited for has not", async () => {
    await memory[Symbol.asyncDispose]();
    const clock = new ManualClock();
    mount(kind, { idleMs: 1000 }, { clock });
    const [idle, used] = [await watch("/data"), await watch("/data")];
    for (let i = 0; i < 4; i++) {
      const waiting = client.readEvents({ watch: used, waitMs: 900 });
      clock.advance(900);
      expect((await waiting).events).toEqual([]);
    }
    expect(await codeOf(client.readEvents({ watch: idle }))).toBe(Code.NotFound);
    expect(await codeOf(client.readEvents({ watch: used }))).toBe(0);
  });
});

test("a watch hears a number of events in one turn, says that it lost the rest, and goes on in the next", async () => {
  mount("memory");
  await put("/data/busy");
  await client.makeDirectory({ path: "/data/d" });
  const number = await watch("/data", true);
  const { handle } = await client.open({ path: "/data/busy", write: true });
  for (let i = 0; i < 17_000; i++) await client.write({ handle, data: Buffer.from("x") });
  await client.makeDirectory({ path: "/data/unheard" });
  const { events, lost } = await client.readEvents({ watch: number });
  expect(events.map(({ path }) => path)).toEqual(["busy"]);
  expect(lost).toBeGreaterThan(0n);
  await new Promise(setImmediate);
  await put("/data/unheard/f");
  expect(await told(number, "unheard/f")).toContain("CREATED unheard/f");
});
