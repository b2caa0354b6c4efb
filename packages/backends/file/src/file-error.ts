import { constants } from "node:os";
import { Code, ConnectError } from "@connectrpc/connect";

const CODES: Readonly<Record<string, Code>> = {
  ENOENT: Code.NotFound,
  EACCES: Code.PermissionDenied,
  EPERM: Code.PermissionDenied,
  EROFS: Code.PermissionDenied,
  EEXIST: Code.AlreadyExists,
  ENOTDIR: Code.FailedPrecondition,
  EISDIR: Code.FailedPrecondition,
  ENOTEMPTY: Code.FailedPrecondition,
  ELOOP: Code.FailedPrecondition,
  ENXIO: Code.FailedPrecondition,
  ENAMETOOLONG: Code.InvalidArgument,
  EINVAL: Code.InvalidArgument,
  ENOSPC: Code.ResourceExhausted,
  EDQUOT: Code.ResourceExhausted,
  EMFILE: Code.ResourceExhausted,
  ENFILE: Code.ResourceExhausted,
  EFBIG: Code.ResourceExhausted,
  EIO: Code.Unavailable,
  EPIPE: Code.Unavailable,
  EAGAIN: Code.Unavailable,
};

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "the operating system does not allow it",
  EPERM: "the operating system does not allow it",
  EROFS: "the file system is read-only",
  EEXIST: "it is there already",
  ENOTDIR: "a name on the way is no directory",
  EISDIR: "it is a directory",
  ELOOP: "too many links on the way",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "there is no space left",
  EPIPE: "its reader has gone",
};

/** What the operating system answered, in the guest's terms: its own path, never the host's. */
export function fileError(error: unknown, path: string): ConnectError {
  if (error instanceof ConnectError) return error;
  const code = nameOf(error as NodeJS.ErrnoException);
  if (code === undefined) throw error;
  return new ConnectError(
    `${path}: ${WORDS[code] ?? code}`,
    CODES[code] ?? Code.Unknown,
    undefined,
    undefined,
    error,
  );
}

/** What Linux calls an error. Node has no names for some of them, EDQUOT among them: their code is `Unknown system error -122`. */
function nameOf({ code, errno }: NodeJS.ErrnoException): string | undefined {
  if (code?.startsWith("Unknown ") !== true) return code;
  return Object.entries(constants.errno).find(([, number]) => -number === errno)?.[0] ?? code;
}
