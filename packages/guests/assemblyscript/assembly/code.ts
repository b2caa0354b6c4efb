/** The 16 canonical codes of gRPC and Connect, and OK. */
export namespace Code {
  /** Not an error. */
  export const OK: i32 = 0;
  /** The caller gave up. */
  export const CANCELLED: i32 = 1;
  /** Nothing better is known. */
  export const UNKNOWN: i32 = 2;
  /** The request is wrong whatever the state of the system. */
  export const INVALID_ARGUMENT: i32 = 3;
  /** Time ran out. */
  export const DEADLINE_EXCEEDED: i32 = 4;
  /** There is no such thing. */
  export const NOT_FOUND: i32 = 5;
  /** It is there already. */
  export const ALREADY_EXISTS: i32 = 6;
  /** The caller may not. */
  export const PERMISSION_DENIED: i32 = 7;
  /** A limit was reached. */
  export const RESOURCE_EXHAUSTED: i32 = 8;
  /** The system is not in the state that the call needs. */
  export const FAILED_PRECONDITION: i32 = 9;
  /** It was interrupted by something concurrent. */
  export const ABORTED: i32 = 10;
  /** Past the end, or before the start. */
  export const OUT_OF_RANGE: i32 = 11;
  /** Nobody wrote that. */
  export const UNIMPLEMENTED: i32 = 12;
  /** Somebody's bug. */
  export const INTERNAL: i32 = 13;
  /** Try again later. */
  export const UNAVAILABLE: i32 = 14;
  /** Data is gone for good. */
  export const DATA_LOSS: i32 = 15;
  /** Who is calling? */
  export const UNAUTHENTICATED: i32 = 16;
}

/** The name of a code, such as "NOT_FOUND"; its number as text where it is none of the 17. */
export function codeName(code: i32): string {
  switch (code) {
    case 0:
      return "OK";
    case 1:
      return "CANCELLED";
    case 2:
      return "UNKNOWN";
    case 3:
      return "INVALID_ARGUMENT";
    case 4:
      return "DEADLINE_EXCEEDED";
    case 5:
      return "NOT_FOUND";
    case 6:
      return "ALREADY_EXISTS";
    case 7:
      return "PERMISSION_DENIED";
    case 8:
      return "RESOURCE_EXHAUSTED";
    case 9:
      return "FAILED_PRECONDITION";
    case 10:
      return "ABORTED";
    case 11:
      return "OUT_OF_RANGE";
    case 12:
      return "UNIMPLEMENTED";
    case 13:
      return "INTERNAL";
    case 14:
      return "UNAVAILABLE";
    case 15:
      return "DATA_LOSS";
    case 16:
      return "UNAUTHENTICATED";
    default:
      return code.toString();
  }
}
