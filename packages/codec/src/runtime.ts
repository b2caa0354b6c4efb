// What generated code is given by name.
import { isObject, toBytes, toMessage } from "./init-value.ts";
import { jsonToStruct, setOwn, structToJson } from "./json-struct.ts";
import { readBytes } from "./read-bytes.ts";
import { badGroupEnd, badWireType, cursor, DEPTH, tooDeep } from "./read-cursor.ts";
import * as readNumber from "./read-number.ts";
import { readLossyString, readString } from "./read-string.ts";
import { readUnknown, skip, unknownEnum } from "./read-unknown.ts";
import { readBool, readEnd, readTag, readVarint32 } from "./read-varint.ts";
import { writeBytes, writeUnknown } from "./write-bytes.ts";
import * as writeNumber from "./write-number.ts";
import { closeLength, roomForLength, sink } from "./write-sink.ts";
import { writeString } from "./write-string.ts";

export const createRuntime: object = { isObject, setOwn, toBytes, toMessage };

export const decodeRuntime: object = {
  ...readNumber,
  badGroupEnd,
  badWireType,
  cursor,
  DEPTH,
  jsonToStruct,
  readBool,
  readBytes,
  readEnd,
  readLossyString,
  readString,
  readTag,
  readUnknown,
  readVarint32,
  setOwn,
  skip,
  structToJson,
  tooDeep,
  unknownEnum,
};

export const encodeRuntime: object = {
  ...writeNumber,
  closeLength,
  foreign,
  jsonToStruct,
  roomForLength,
  sink,
  unset,
  wholeNumber,
  writeBytes,
  writeString,
  writeUnknown,
};

function foreign(message: { readonly $typeName?: unknown }, typeName: string): never {
  throw new TypeError(`expected a message ${typeName}, got ${String(message.$typeName)}`);
}

function unset(field: string): never {
  throw new TypeError(`the required field ${field} is not set`);
}

/** The key of a map as the number that it is on the wire; left as it is, to be refused, where it is none. */
function wholeNumber(key: string): number | string {
  const number = Number.parseInt(key, 10);
  return Number.isFinite(number) ? number : key;
}
