import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, type Code, ConnectError } from "@connectrpc/connect";
import { type InMemory, inMemory } from "@dropthrough/dispatch/testing";
import { afterAll } from "vitest";
import {
  type DiskMount,
  file,
  type FileOptions,
  type FileService,
  type MemoryMount,
} from "../src/index.ts";
import { elsewhere } from "./elsewhere.ts";
import type { Kind } from "./escape-rows.ts";

const specials = mkdtempSync(join(tmpdir(), "dropthrough-special-"));
spawnSync("mkfifo", [special("fifo")]);
// Where nobody may make a device, there is none.
spawnSync("mknod", [special("zero"), "c", "1", "5"]);
afterAll(() => rmSync(specials, { recursive: true, force: true }));

/** A FIFO, or a device, to be linked to wherever a test wants it: to make one takes a process. */
export function special(name: "fifo" | "zero"): string {
  return join(specials, name);
}

/** What a call answered: its code, and all that it said. */
export interface Outcome {
  readonly code: Code | 0;
  readonly text: string;
}

export async function outcome(call: Promise<unknown>): Promise<Outcome> {
  return call.then(
    (value) => ({
      code: 0 as const,
      text: JSON.stringify(value, (_, v: unknown) =>
        v instanceof Uint8Array ? Buffer.from(v).toString() : typeof v === "bigint" ? Number(v) : v,
      ),
    }),
    (error: unknown) => ({ code: ConnectError.from(error).code, text: String(error) }),
  );
}

export async function codeOf(call: Promise<unknown>): Promise<Code | 0> {
  return (await outcome(call)).code;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const make = <T>(mount: () => T): T => mount();

/** A folder `mount` that guests see as /data, beside `outside`, which they must never see. */
export class Jail implements AsyncDisposable {
  readonly base: string = mkdtempSync(join(tmpdir(), "dropthrough-jail-"));
  readonly outside: string = join(this.base, "outside");
  memory: InMemory<typeof FileService> | undefined;

  constructor() {
    mkdirSync(this.outside);
    writeFileSync(join(this.outside, "secret"), "SECRET");
    this.fill();
  }

  get client(): Client<typeof FileService> {
    if (this.memory === undefined) throw new Error("nothing is mounted");
    return this.memory.client();
  }

  /** A path on the host, below the mount. */
  inside(path: string): string {
    return join(this.base, "mount", path);
  }

  /** Puts the mount's folder back to what it was. */
  fill(): void {
    rmSync(this.inside(""), { recursive: true, force: true });
    mkdirSync(this.inside("sub"), { recursive: true });
    writeFileSync(this.inside("a.txt"), "inside");
    writeFileSync(this.inside("sub/b.txt"), "deep");
  }

  async use(mounts: FileOptions["mounts"], where = make): Promise<void> {
    await this.memory?.[Symbol.asyncDispose]();
    this.memory = where(() => inMemory(file({ mounts })));
  }

  /** Mounts /data, and /tmp in memory with one file. */
  async mount(kind: Kind, write = true): Promise<void> {
    const path = this.inside(kind === "single file" ? "a.txt" : "");
    const data: DiskMount | MemoryMount = kind === "memory" ? { memory: true } : { path, write };
    const where = kind === "disk elsewhere" ? elsewhere : make;
    await this.use({ "/data": data, "/tmp": { memory: true } }, where);
    const { client } = this;
    await client.writeFile({ path: "/tmp/own", data: bytes("own") });
    if (kind !== "memory") return;
    await client.makeDirectory({ path: "/data/sub" });
    await client.writeFile({ path: "/data/a.txt", data: bytes("inside") });
    await client.writeFile({ path: "/data/sub/b.txt", data: bytes("deep") });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.memory?.[Symbol.asyncDispose]();
    rmSync(this.base, { recursive: true, force: true });
  }
}

type Calls = Readonly<
  Record<string, (client: Client<typeof FileService>, path: string) => Promise<unknown>>
>;

/** Every call that takes a path, with that path, and with it in the second place where there are two. */
export const CALLS: Calls = {
  "Open to read": (client, path) => client.open({ path, read: true }),
  "Open to write": (client, path) => client.open({ path, write: true }),
  "Open with truncate": (client, path) => client.open({ path, write: true, truncate: true }),
  "Open with create": (client, path) => client.open({ path, write: true, create: true }),
  "Open with create, exclusive": (client, path) =>
    client.open({ path, write: true, create: true, exclusive: true }),
  "Open to append": (client, path) =>
    client.open({ path, write: true, create: true, append: true }),
  ReadFile: (client, path) => client.readFile({ path }),
  "Copy from": (client, path) => client.copy({ from: path, to: "/tmp/stolen" }),
  "Copy to": (client, path) => client.copy({ from: "/tmp/own", to: path }),
};
/** Those that tell about names and change them: they take a link for a link, and a name that is not there for a new one. */
export const NAME_CALLS: Calls = {
  Stat: (client, path) => client.stat({ path }),
  List: (client, path) => client.list({ path }),
  Watch: (client, path) => client.watch({ path }),
  "Watch, recursive": (client, path) => client.watch({ path, recursive: true }),
  WriteFile: (client, path) => client.writeFile({ path, data: bytes("x") }),
  "WriteFile with sync": (client, path) => client.writeFile({ path, data: bytes("x"), sync: true }),
  MakeDirectory: (client, path) => client.makeDirectory({ path }),
  "MakeDirectory with parents": (client, path) =>
    client.makeDirectory({ path: `${path}/new`, parents: true }),
  "Rename from": (client, path) => client.rename({ from: path, to: "/tmp/stolen" }),
  "Rename within": (client, path) => client.rename({ from: path, to: "/data/moved" }),
  "Rename to": (client, path) => client.rename({ from: "/data/sub", to: path }),
  Remove: (client, path) => client.remove({ path }),
  "Remove, recursive": (client, path) => client.remove({ path, recursive: true }),
};
