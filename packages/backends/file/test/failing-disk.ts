import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Code } from "@connectrpc/connect";
import { hostFileSystem } from "../src/file-system.ts";

/** Numbers of system calls: prctl, seccomp, fsync. */
const SYSTEM_CALLS: Partial<Record<NodeJS.Architecture, readonly number[]>> = {
  x64: [157, 317, 74],
  arm64: [167, 277, 82],
};

/**
 * Becomes a program for which the kernel fails every fsync, by a seccomp filter: load the number of the system call; if it is
 * that of fsync, answer the errno; else allow it.
 */
const FILTER = String.raw`
  my ($prctl, $seccomp, $fsync, $errno, @command) = map { /^\d+$/ ? $_ + 0 : $_ } @ARGV;
  my $code = pack "(SCCL)4", 0x20, 0, 0, 0,  0x15, 0, 1, $fsync,  0x06, 0, 0, 0x50000 | $errno,  0x06, 0, 0, 0x7fff0000;
  syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "PR_SET_NO_NEW_PRIVS: $!";
  syscall($seccomp, 1, 0, pack("Sx6P", 4, $code)) == 0 or die "SECCOMP_SET_MODE_FILTER: $!";
  exec @command or die "exec: $!";`;

const PROGRAM = `
  import { file } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
  import { ConnectError } from "@connectrpc/connect";
  import { inMemory } from "@dropthrough/dispatch/testing";
  const client = inMemory(file({ mounts: { "/data": { path: process.argv[1], write: true } } })).client();
  const failure = (promise) => promise.then(() => ({ code: 0, message: "" }), ConnectError.from);
  const path = "/data/file";
  await client.writeFile({ path, data: Buffer.from("old") });
  const { handle } = await client.open({ path, write: true });
  const sync = await failure(client.sync({ handle }));
  const whole = await failure(client.writeFile({ path, data: Buffer.from("new"), sync: true }));
  const text = Buffer.from((await client.readFile({ path })).data).toString();
  const names = (await client.list({ path: "/data" })).entries.map(({ name }) => name);
  console.log(JSON.stringify({ sync: sync.code, message: sync.rawMessage, whole: whole.code, text, names }));
  process.exit();`;

/** The next file of the host that is closed fails to, as on a network: it is closed all the same. */
export function failToClose(): void {
  const close = hostFileSystem.closeSync;
  hostFileSystem.closeSync = (fd) => {
    hostFileSystem.closeSync = close;
    close(fd);
    throw Object.assign(new Error("EIO"), { code: "EIO" });
  };
}

/** What calls were answered while the disk failed. */
export interface OnFailingDisk {
  /** Of Sync, and its message. */
  readonly sync: Code;
  readonly message: string;
  /** Of WriteFile with sync, over a file that holds "old". */
  readonly whole: Code;
  /** What that file holds afterwards, and what its directory. */
  readonly text: string;
  readonly names: readonly string[];
}

/** Runs the file backend in a process of its own, for which every fsync fails with `errno`: a number of Linux. */
export function onFailingDisk(errno: number): OnFailingDisk {
  const folder = mkdtempSync(join(tmpdir(), "dropthrough-failing-"));
  try {
    const numbers = [...(SYSTEM_CALLS[process.arch] ?? []), errno].map(String);
    const node = [process.execPath, "--input-type=module", "-e", PROGRAM, "--", folder];
    const args = ["-e", FILTER, ...numbers, ...node];
    const said = execFileSync("perl", args, { cwd: import.meta.dirname, encoding: "utf8" });
    return JSON.parse(said) as OnFailingDisk;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
