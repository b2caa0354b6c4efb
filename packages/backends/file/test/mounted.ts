import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, type Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterEach, beforeEach } from "vitest";
import { file, type FileService } from "../src/index.ts";
import { elsewhere } from "./elsewhere.ts";

export let folder: string;
export let memory: InMemory<typeof FileService>;
export let client: Client<typeof FileService>;

export async function codeOf(promise: Promise<unknown>): Promise<Code | 0> {
  return promise.then(
    () => 0,
    (error: unknown) => ConnectError.from(error).code,
  );
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const put = async (path: string, text: string): Promise<void> =>
  void (await client.writeFile({ path, data: bytes(text) }));
export const get = async (path: string): Promise<string> =>
  new TextDecoder().decode((await client.readFile({ path })).data);
export const names = async (path: string): Promise<string[]> =>
  (await client.list({ path })).entries.map((entry) => entry.name);

const onDisk = (quota: string, entries?: number) => ({
  "/data": { path: folder, write: true, quota, ...(entries !== undefined && { entries }) },
  "/other": { memory: true as const },
});

/** Mounts that must not be told apart by a guest. */
export const KINDS = {
  disk: onDisk,
  "disk elsewhere": onDisk,
  memory: (quota: string, entries?: number) => ({
    "/data": { memory: true as const, quota, ...(entries !== undefined && { entries }) },
    "/other": { memory: true as const },
  }),
};
export type Kind = keyof typeof KINDS;

/** Mounts of a kind for every test of the describe that it is called in; answers what mounts others. */
export function mounted(kind: Kind): (quota?: string, entries?: number) => void {
  const mount = (quota = "1 GiB", entries?: number): void => {
    const make = (): typeof memory => inMemory(file({ mounts: KINDS[kind](quota, entries) }));
    use(kind === "disk elsewhere" ? elsewhere(make) : make());
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dropthrough-file-"));
    mount();
  });
  afterEach(async () => {
    await memory[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  return mount;
}

/** From now on, this backend is called, as this guest. */
export function use(backend: typeof memory, guest?: string): void {
  memory = backend;
  client = memory.client(guest);
}
