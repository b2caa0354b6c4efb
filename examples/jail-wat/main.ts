import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { createHost } from "@dropthrough/host";
import { file, type FileOptions } from "@dropthrough/file";
import loadWabt from "wabt";

/** One call of the guest: what it was answered, which call, and with which path. */
export interface Attempt {
  /** 0 is OK. */
  readonly code: number;
  readonly call: string;
  readonly path: string;
  /** The answer held the secret. */
  readonly stolen: boolean;
}

/** What the guest said. */
export interface Report {
  readonly attempts: readonly Attempt[];
  /** How often the file was opened whose folder was swapped, and how often its content was that of the outside. */
  readonly race: { readonly opened: number; readonly stolen: number };
  readonly exitCode: number;
  /** Who the host says that wrote the report. */
  readonly by: string;
}

/** What is mounted at /data: a folder full of traps, one in memory, or a single file. */
export type Kind = "disk" | "memory" | "single file";

/** Links and special files that somebody has put into the mount. */
const LINKS: Readonly<Record<string, string>> = {
  link: "..",
  up: "..",
  upslash: "../",
  folder: "../outside",
  detour: "sub/../../outside/",
  file: "../outside/secret",
  chain: "file",
  loop: "loop",
  dangling: "../outside/new",
  "a/link1": "evil/",
  "a/evil": "../../outside",
  etc: "/etc",
  root: "/proc/self/root",
  fd: "/proc/self/fd",
  cwd: "/proc/self/cwd",
  evil: "../outside",
};

/** A folder `mount` full of traps, beside `outside`, which holds the secret. Dispose it to remove both. */
export class TrapFolder implements Disposable {
  readonly base: string = mkdtempSync(join(tmpdir(), "dropthrough-jail-"));
  #swapper: ChildProcess | undefined;

  constructor() {
    for (const folder of ["mount/sub", "mount/run", "mount/a", "outside"])
      mkdirSync(join(this.base, folder), { recursive: true });
    writeFileSync(join(this.base, "outside/secret"), "SECRET");
    writeFileSync(join(this.base, "mount/a.txt"), "inside");
    writeFileSync(join(this.base, "mount/run/secret"), "inside");
    for (const [name, target] of Object.entries(LINKS))
      symlinkSync(target, join(this.base, "mount", name));
    execFileSync("mkfifo", [join(this.base, "mount/fifo")]);
  }

  /** From now on another process swaps mount/run and a link to the outside, as fast as it can. */
  async swap(): Promise<void> {
    const script = join(this.base, "swap.cjs");
    writeFileSync(
      script,
      `const { renameSync } = require("node:fs");
       process.chdir(${JSON.stringify(join(this.base, "mount"))});
       process.on("disconnect", () => process.exit());
       process.send("ready");
       (function swap() {
         for (let i = 0; i < 100; i++) { renameSync("run", "x"); renameSync("evil", "run"); renameSync("run", "evil"); renameSync("x", "run"); }
         setImmediate(swap);
       })();`,
    );
    this.#swapper = fork(script);
    await new Promise((resolve) => this.#swapper?.once("message", resolve));
  }

  [Symbol.dispose](): void {
    this.#swapper?.kill("SIGKILL");
    rmSync(this.base, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Assembles jail.wat, and lets it try everything on one kind of mount. */
export async function jail(folder: TrapFolder, kind: Kind): Promise<Report> {
  const wabt = await loadWabt();
  const source = readFileSync(new URL("jail.wat", import.meta.url), "utf8");
  const module = new Uint8Array(wabt.parseWat("jail.wat", source).toBinary({}).buffer);
  let said = "";
  let by = "";
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      said += chunk.toString();
      done();
    },
  });
  const mounts: FileOptions["mounts"] = {
    "/data":
      kind === "memory"
        ? { memory: true }
        : { path: join(folder.base, kind === "disk" ? "mount" : "mount/a.txt"), write: true },
    "/tmp": { memory: true },
    "/report": {
      stream: ({ name, instance }) => {
        by = `${name} ${instance}`;
        return stream;
      },
    },
  };
  await using host = createHost({
    backends: [file({ mounts })],
    guests: [{ name: "jail", module, grants: ["dropthrough.file.v1.FileService/*"] }],
  });
  await host.start();
  const { code } = await host.exited;
  return { ...readReport(said), exitCode: code, by };
}

function readReport(text: string): Omit<Report, "exitCode" | "by"> {
  const lines = text.trimEnd().split("\n");
  const [, opened, lost] = /^opened, of 20000: (\d+) stolen: (\d+)$/.exec(lines.pop() ?? "") ?? [];
  return {
    attempts: lines.map((line) => {
      const [, code, call = "", path = ""] = /^(\d+) (\w+) (.*)$/.exec(line) ?? [];
      const stolen = path.endsWith(" SECRET");
      return { code: Number(code), call, path: stolen ? path.slice(0, -7) : path, stolen };
    }),
    race: { opened: Number(opened), stolen: Number(lost) },
  };
}

if (import.meta.main) {
  for (const kind of ["disk", "memory", "single file"] as const) {
    using folder = new TrapFolder();
    if (kind === "disk") await folder.swap();
    const { attempts, race } = await jail(folder, kind);
    const stolen = attempts.filter((attempt) => attempt.stolen).length + race.stolen;
    const ok = attempts.filter(({ code }) => code === 0).length;
    console.log(
      `${kind}: ${attempts.length} attempts, ${attempts.length - ok} refused, 20000 races, ${stolen} stolen`,
    );
    if (stolen > 0) process.exitCode = 1;
  }
}
