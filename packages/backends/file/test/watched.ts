import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, type Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach, expect } from "vitest";
import {
  file,
  FileEventType,
  type FileLimits,
  type FileOptions,
  type FileService,
} from "../src/index.ts";

/** A folder `data` of the host that guests see as /data, beside `outside`, which they must never see; new for each test. */
export let base: string;
export let memory: InMemory<typeof FileService>;
export let client: Client<typeof FileService>;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "dropthrough-watch-"));
  mkdirSync(join(base, "data"));
  mkdirSync(join(base, "outside"));
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(base, { recursive: true, force: true });
});

/** Mounts it, or memory in its place. */
export function mount(
  kind: "disk" | "memory",
  limits?: Partial<FileLimits>,
  more?: Partial<FileOptions>,
): void {
  const data = kind === "disk" ? { path: inside(), write: true } : { memory: true as const };
  memory = inMemory(
    file({
      mounts: { "/data": data, ...more?.mounts },
      limits: { ...limits },
      ...(more?.clock && { clock: more.clock }),
    }),
  );
  client = memory.client();
}

/** A path on the host, below the mount. */
export function inside(path = ""): string {
  return join(base, "data", path);
}

export async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

export const put = async (path: string, text = "x"): Promise<void> =>
  void (await client.writeFile({ path, data: Buffer.from(text) }));
export const watch = async (path: string, recursive = false, buffer = 0): Promise<bigint> =>
  (await client.watch({ path, recursive, buffer })).watch;

const TYPES = new Map<number, string>(
  Object.entries(FileEventType).map(([name, type]) => [type as number, name]),
);

/** Reads until something was told of each path; answers what was told last of each, in the order in which it came. */
export async function told(number: bigint, ...paths: string[]): Promise<string[]> {
  const last = new Map<string, string>();
  while (!paths.every((path) => last.has(path))) {
    const { events } = await client.readEvents({ watch: number, waitMs: 10_000 });
    expect(events.length, `nothing of ${paths.join()}, but ${[...last].join()}`).toBeGreaterThan(0);
    for (const { path, type } of events) last.set(path, TYPES.get(type) ?? "");
  }
  return [...last].map(([path, type]) => `${type} ${path}`);
}
