import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { inMemory, ManualClock } from "@dropthrough/dispatch/testing";
import { expect, onTestFinished, test } from "vitest";
import { file } from "../src/index.ts";
import { failToClose, onFailingDisk } from "./failing-disk.ts";

const { EIO, ENOSPC, EDQUOT, ENFILE, EROFS, ENOLCK } = constants.errno;

test.each([
  ["an input or output error", EIO, Code.Unavailable, "EIO"],
  ["that there is no space", ENOSPC, Code.ResourceExhausted, "there is no space left"],
  ["that the user has no space", EDQUOT, Code.ResourceExhausted, "EDQUOT"],
  ["that too many files are open", ENFILE, Code.ResourceExhausted, "ENFILE"],
  ["that it is read-only now", EROFS, Code.PermissionDenied, "the file system is read-only"],
  ["what has no code of its own", ENOLCK, Code.Unknown, "ENOLCK"],
])(
  "a disk that says %s fails Sync and WriteFile with sync, and the old file stays",
  (_, errno, code, words) => {
    expect(onFailingDisk(errno)).toEqual({
      sync: code,
      message: `/data/file: ${words}`,
      whole: code,
      text: "old",
      names: ["file"],
    });
  },
);

test.each(["has been idle", "is of a guest that ends"])(
  "a file that %s, and fails to close, ends nothing, and leaves nothing open",
  async (how) => {
    const folder = mkdtempSync(join(tmpdir(), "dropthrough-failing-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const clock = new ManualClock();
    const mounts = { "/data": { path: folder, write: true } };
    await using memory = inMemory(file({ mounts, clock, limits: { idleMs: 1000 } }));
    await memory.client().writeFile({ path: "/data/f" });
    const open = (): number => readdirSync("/proc/self/fd").length;
    const before = open();
    for (let i = 0; i < 3; i++) await memory.client().open({ path: "/data/f", read: true });
    expect(open()).toBe(before + 3);
    failToClose();
    if (how === "has been idle") for (let i = 0; i < 20; i++) clock.advance(100);
    else await memory.end();
    expect(open()).toBe(before);
  },
);
