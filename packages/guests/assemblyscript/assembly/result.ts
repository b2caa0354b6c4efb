import { codeName } from "./code";
import { EMPTY } from "./empty";
import { Status } from "./gen/dropthrough/abi/v1/status";
import { Any } from "./gen/google/protobuf/any";

/**
 * What a call came to: a value, or the status that says why there is none.
 *
 * ```
 * const r = client.get(request);
 * if (!r.ok) return r.failure<TopResponse>(); // or: switch (r.code) { case Code.NOT_FOUND: ... }
 * use(r.value);
 * ```
 */
@final
export class Result<T> {
  private readonly held: T | null;
  /** The status: code 0 if the call succeeded. Its details are `Any` messages; see `unpack`. */
  readonly status: Status;

  constructor(value: T | null, status: Status) {
    this.held = value;
    this.status = status;
  }

  /** Whether there is a value. */
  get ok(): bool {
    return this.status.code == 0;
  }

  /** The status's code; see `Code`. */
  get code(): i32 {
    return this.status.code;
  }

  /** The value. To ask for it where there is none is a bug, and traps; look at `ok` first. */
  get value(): T {
    const held = this.held;
    if (held === null) throw new Error("no value: " + describe(this.status));
    return held;
  }

  /** The same failure, as the result of something else. */
  failure<U>(): Result<U> {
    return new Result<U>(null, this.status);
  }
}

// One for all that went well; EMPTY is imported for the order of initialisation, bytes fields need it.
const OK: Status = EMPTY.length == 0 ? new Status() : new Status();

/** A success. */
export function ok<T>(value: T): Result<T> {
  return new Result<T>(value, OK);
}

/** A failure; `details` are facts for programs, see `pack`. */
export function fail<T>(code: i32, message: string, details: Any[] = []): Result<T> {
  return new Result<T>(null, newStatus(code, message, details));
}

/** A failure with a status that is there already. */
export function failWith<T>(status: Status): Result<T> {
  return new Result<T>(null, status);
}

/** The status of what went well: code 0. */
export function okStatus(): Status {
  return OK;
}

/** A status. */
export function newStatus(code: i32, message: string, details: Any[] = []): Status {
  const status = new Status();
  status.code = code;
  status.message = message;
  status.details = details;
  return status;
}

/** A status in a line, such as "NOT_FOUND: there is no such key". */
export function describe(status: Status): string {
  return status.message.length
    ? codeName(status.code) + ": " + status.message
    : codeName(status.code);
}
