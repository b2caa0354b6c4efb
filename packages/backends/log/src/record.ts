import { toJson } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { printable } from "@dropthrough/dispatch";
import type { Attribute, Record as LogRecord, Value } from "./gen/dropthrough/log/v1/log_pb.ts";
import type { LogLimits } from "./log-limits.ts";
import { cut } from "./cut.ts";

/** Bytes that JSON puts around a text or a value: quotes or brackets, a colon, a comma. */
const AROUND = 4;

/** What JSON can hold. */
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** The fields of a line that come from the guest. Whatever it sent, one record is one line, of a bounded size. */
export interface RecordFields {
  readonly msg: string;
  readonly guestTime?: string;
  readonly attributes?: Json;
  readonly error?: Json;
}

/**
 * A record as fields of a line.
 *
 * @throws ConnectError INVALID_ARGUMENT for an empty key; RESOURCE_EXHAUSTED above a limit
 */
export function encodeRecord(record: LogRecord, limits: LogLimits): RecordFields {
  return new RecordEncoder(limits).record(record);
}

class RecordEncoder {
  readonly #limits: LogLimits;
  /** Bytes that the record may still have. */
  #left: number;

  constructor(limits: LogLimits) {
    this.#limits = limits;
    this.#left = limits.recordBytes;
  }

  record({ time, attributes, error, message }: LogRecord): RecordFields {
    return {
      msg: this.#text(message),
      ...(time && { guestTime: encodeTime(time) }),
      ...(attributes.length > 0 && { attributes: this.#attributes(attributes, 1) }),
      ...(error && {
        error: {
          type: this.#text(error.type),
          message: this.#text(error.message),
          stack: this.#text(error.stack, "\n"),
        },
      }),
    };
  }

  #attributes(attributes: readonly Attribute[], depth: number): Json {
    this.#checkSize(attributes.length, depth);
    // Object.fromEntries makes own properties, whatever their name: "__proto__" is a key like any other.
    return Object.fromEntries(
      attributes.map(({ key, value }) => {
        if (key === "") throw new ConnectError("an attribute needs a key", Code.InvalidArgument);
        const text = printable(cut(key, this.#limits.keyLength));
        this.#spendText(text);
        return [text, this.#value(value, depth)];
      }),
    );
  }

  #value(value: Value | undefined, depth: number): Json {
    this.#spend(AROUND);
    const { kind } = value ?? { kind: { case: undefined } };
    switch (kind.case) {
      case "string":
        return this.#text(kind.value);
      case "int":
        return this.#number(
          Number(kind.value),
          Number.isSafeInteger(Number(kind.value)),
          kind.value,
        );
      case "double":
        return this.#number(kind.value, Number.isFinite(kind.value), kind.value);
      case "bool":
        return this.#word(kind.value);
      case "bytes":
        return this.#bytes(kind.value);
      case "list":
        this.#checkSize(kind.value.values.length, depth + 1);
        return kind.value.values.map((item) => this.#value(item, depth + 1));
      case "map":
        return this.#attributes(kind.value.attributes, depth + 1);
      default:
        return this.#word(null);
    }
  }

  #text(value: string, keep?: string): string {
    const { textLength } = this.#limits;
    const shown =
      value.length > textLength ? `${cut(value, textLength)}… (${value.length} characters)` : value;
    const text = printable(shown, keep);
    this.#spendText(text);
    return text;
  }

  #word<T extends boolean | null>(word: T): T {
    this.#spend(String(word).length + 1 - AROUND);
    return word;
  }

  /** A number as such, or its digits where JSON has no word for it. */
  #number(value: number, hasWord: boolean, given: number | bigint): number | string {
    const digits = String(given);
    this.#spend(digits.length);
    return hasWord ? value : digits;
  }

  #bytes(bytes: Uint8Array): string {
    const { valueBytes } = this.#limits;
    const encoded = Buffer.from(bytes.subarray(0, valueBytes)).toString("base64");
    const text = bytes.length > valueBytes ? `${encoded}… (${bytes.length} bytes)` : encoded;
    this.#spendText(text);
    return text;
  }

  #checkSize(count: number, depth: number): void {
    const { attributes, depth: most } = this.#limits;
    if (depth > most) {
      throw new ConnectError(
        `attributes are nested more than ${most} deep: flatten them`,
        Code.ResourceExhausted,
      );
    }
    if (count > attributes) {
      throw new ConnectError(
        `${count} attributes are above the limit of ${attributes} at one level: write fewer`,
        Code.ResourceExhausted,
      );
    }
  }

  /** Counts a text as it stands on the line, where quotes and backslashes take two bytes. */
  #spendText(text: string): void {
    this.#spend(Buffer.byteLength(JSON.stringify(text)) - 2 + AROUND);
  }

  #spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) {
      throw new ConnectError(
        `a record may have ${this.#limits.recordBytes} bytes: write less, or several records`,
        Code.ResourceExhausted,
      );
    }
  }
}

/** RFC 3339 with as many digits as the guest gave; what no calendar has is said so, and the record stays. */
function encodeTime(time: Timestamp): string {
  // The library takes no notice of nanoseconds above a second.
  if (time.nanos > 999_999_999) return "out of range";
  try {
    return toJson(TimestampSchema, time);
  } catch {
    return "out of range";
  }
}
