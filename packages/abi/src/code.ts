import { Code } from "@connectrpc/connect";

export { Code };

const NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The canonical upper-case name of a code, as gRPC spells it; 0 is `OK`, an unknown number is `CODE_n`. */
export function codeName(code: number): string {
  return NAMES[code] ?? `CODE_${code}`;
}

/** Whether a number is one of the 16 codes of a failure. */
export function isCode(code: number): code is Code {
  return Number.isInteger(code) && code >= 1 && code <= 16;
}
