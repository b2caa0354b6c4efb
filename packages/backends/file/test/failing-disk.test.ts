import { constants } from "node:os";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { onFailingDisk } from "./failing-disk.ts";

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
