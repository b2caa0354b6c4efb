import { Code, ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "@dropthrough/dispatch";

/** An error reply of Redis, or of the embedded engine, whose message starts with its kind: `WRONGTYPE Operation …`. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}

/** The first word of an error reply → the code that a guest gets. What is not here, and not in ERR below, is UNKNOWN. */
export const CODES: Readonly<Record<string, Code>> = {
  WRONGTYPE: Code.InvalidArgument,
  CROSSSLOT: Code.InvalidArgument,
  EXECABORT: Code.InvalidArgument,
  NOSCRIPT: Code.NotFound,
  NOGROUP: Code.NotFound,
  BUSYKEY: Code.AlreadyExists,
  BUSYGROUP: Code.AlreadyExists,
  NOAUTH: Code.PermissionDenied,
  NOPERM: Code.PermissionDenied,
  WRONGPASS: Code.PermissionDenied,
  OOM: Code.ResourceExhausted,
  READONLY: Code.FailedPrecondition,
  MISCONF: Code.FailedPrecondition,
  MOVED: Code.FailedPrecondition,
  ASK: Code.FailedPrecondition,
  LOADING: Code.Unavailable,
  BUSY: Code.Unavailable,
  TRYAGAIN: Code.Unavailable,
  CLUSTERDOWN: Code.Unavailable,
  MASTERDOWN: Code.Unavailable,
  NOREPLICAS: Code.Unavailable,
};

/** What an error that starts with ERR says → its code. The rest of them are INVALID_ARGUMENT. */
const ERR_CODES: readonly (readonly [RegExp, Code])[] = [
  [/^ERR no such key/, Code.NotFound],
  [/overflow|out of range$|^ERR index out of range/, Code.OutOfRange],
  [/^ERR unknown command/, Code.Unimplemented],
  [/^ERR max number of clients/, Code.Unavailable],
];
/** A number that cannot be read is bad input, though Redis ends the sentence with "out of range" too. */
const BAD_NUMBER = /is not an integer|not a valid float|must be positive/;

/** Milliseconds to wait after a reply that says "not now". */
const REPLY_RETRY_MS = 1_000;

/** The code and sentence for an error reply. What has its code already is left as it is. */
export function fromReply(error: Error): ConnectError {
  if (error instanceof ConnectError) return error;
  const [kind = ""] = error.message.split(" ", 1);
  const code = kind === "ERR" ? errCode(error.message) : (CODES[kind] ?? Code.Unknown);
  const message = `Redis says: ${error.message}`;
  if (code === Code.Unavailable) return unavailable(message, REPLY_RETRY_MS, error);
  return new ConnectError(message, code, undefined, undefined, error);
}

function errCode(message: string): Code {
  if (BAD_NUMBER.test(message)) return Code.InvalidArgument;
  return ERR_CODES.find(([text]) => text.test(message))?.[1] ?? Code.InvalidArgument;
}

/** UNAVAILABLE, with when to try again. */
export function unavailable(message: string, retryMs: number, cause?: unknown): ConnectError {
  return tryAgain(message, Code.Unavailable, retryMs, cause);
}

/** RESOURCE_EXHAUSTED, with when to try again. */
export function tooMany(message: string, retryMs: number): ConnectError {
  return tryAgain(message, Code.ResourceExhausted, retryMs);
}

/** RESOURCE_EXHAUSTED, which time alone does not mend: a reply takes so many bytes, and more than it may. */
export function tooLarge(bytes: number, most: number): ConnectError {
  return new ConnectError(
    `the reply takes ${bytes} bytes, and ${most} is the limit: ask for less at once`,
    Code.ResourceExhausted,
  );
}

function tryAgain(message: string, code: Code, retryMs: number, cause?: unknown): ConnectError {
  const ms = Math.max(1, Math.round(retryMs));
  const retryDelay = { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
  const details = [{ desc: RetryInfoSchema, value: { retryDelay } }];
  return new ConnectError(message, code, undefined, details, cause);
}

/** INVALID_ARGUMENT. */
export function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
