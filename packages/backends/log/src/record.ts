import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Attribute, Record as LogRecord, Value } from "./gen/dropthrough/log/v1/log_pb.ts";

const MOST_TEXT = 16 * 1024;
const MOST_KEY = 256;
const MOST_BYTES = 1024;
const MOST_ATTRIBUTES = 64;
const MOST_DEPTH = 8;

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
 * @throws ConnectError INVALID_ARGUMENT for an empty key or too deep a value, RESOURCE_EXHAUSTED for too many attributes
 */
export function encodeRecord(record: LogRecord): RecordFields {
  const { time, attributes, error, message } = record;
  return {
    msg: text(message),
    ...(time && { guestTime: encodeTime(time) }),
    ...(attributes.length > 0 && { attributes: encodeAttributes(attributes, 1) }),
    ...(error && {
      error: {
        type: text(error.type),
        message: text(error.message),
        stack: text(error.stack, "\n"),
      },
    }),
  };
}

function encodeTime(time: NonNullable<LogRecord["time"]>): string {
  const date = timestampDate(time);
  return Number.isNaN(date.getTime()) ? "out of range" : date.toISOString();
}

function encodeAttributes(attributes: readonly Attribute[], depth: number): Json {
  checkSize(attributes.length, depth);
  const fields: [string, Json][] = attributes.map(({ key, value }) => {
    if (key === "") throw new ConnectError("an attribute needs a key", Code.InvalidArgument);
    return [text(key.slice(0, MOST_KEY)), encodeValue(value, depth)];
  });
  return Object.fromEntries(fields);
}

function encodeValue(value: Value | undefined, depth: number): Json {
  const { kind } = value ?? { kind: { case: undefined } };
  switch (kind.case) {
    case "string":
      return text(kind.value);
    case "int":
      return Number.isSafeInteger(Number(kind.value)) ? Number(kind.value) : String(kind.value);
    case "double":
      return Number.isFinite(kind.value) ? kind.value : String(kind.value);
    case "bool":
      return kind.value;
    case "bytes":
      return base64(kind.value);
    case "list":
      checkSize(kind.value.values.length, depth + 1);
      return kind.value.values.map((item) => encodeValue(item, depth + 1));
    case "map":
      return encodeAttributes(kind.value.attributes, depth + 1);
    default:
      return null;
  }
}

function checkSize(count: number, depth: number): void {
  if (depth > MOST_DEPTH) {
    throw new ConnectError(
      `attributes are nested more than ${MOST_DEPTH} deep: flatten them`,
      Code.InvalidArgument,
    );
  }
  if (count > MOST_ATTRIBUTES) {
    throw new ConnectError(
      `${count} attributes are above the limit of ${MOST_ATTRIBUTES}: write fewer`,
      Code.ResourceExhausted,
    );
  }
}

function base64(bytes: Uint8Array): string {
  const encoded = Buffer.from(bytes.subarray(0, MOST_BYTES)).toString("base64");
  return bytes.length > MOST_BYTES ? `${encoded}… (${bytes.length} bytes)` : encoded;
}

/**
 * Text that can neither forge a line nor drive a terminal: control characters (C0, C1, DEL), line and paragraph separators, and the
 * marks that reorder text are escaped, `\u001b` for ESC.
 */
export function text(value: string, keep = ""): string {
  const cut =
    value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT)}… (${value.length} characters)` : value;
  return cut.replaceAll(UNSAFE, (c) =>
    c === keep ? c : `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
