// Strings, by the way that is fastest for their length: the platform takes some 30 ns for any, which is as long as 16
// ASCII characters take one by one.
import { varintSize } from "./write-sink.ts";
import { writeVarint32 } from "./write-varint.ts";

/** What Node's Buffer can do with any Uint8Array, and browsers cannot. */
interface Utf8Write {
  call(memory: Uint8Array, text: string, pos: number, room: number): number;
}

const { Buffer } = globalThis as { Buffer?: { prototype?: { utf8Write?: Utf8Write } } };
const utf8Write: Utf8Write | undefined = Buffer?.prototype?.utf8Write;
const encoder = new TextEncoder();

/** The longest string that is written character by character. */
const SHORT = 16;

/** A string and its length in front, or -1 if it does not fit. Half a surrogate pair becomes U+FFFD. */
export function writeString(memory: Uint8Array, pos: number, end: number, value: unknown): number {
  // As protobuf-es has it: what is no string is made one.
  const text = typeof value === "string" ? value : String(value);
  const { length } = text;
  if (length <= SHORT) {
    if (pos + 1 + length > end) return -1;
    memory[pos] = length;
    let at = 0;
    for (; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code > 127) break;
      memory[pos + 1 + at] = code;
    }
    if (at === length) return pos + 1 + length;
  }
  return writeUtf8(memory, pos, end, text);
}

function writeUtf8(memory: Uint8Array, pos: number, end: number, text: string): number {
  // Most text is ASCII: the length in bytes is the length.
  const guess = varintSize(text.length);
  const start = pos + guess;
  const room = end - start;
  if (room < text.length) return -1;
  const written = writeText(memory, start, room, text);
  // A character is at most 4 bytes: if fewer are left, one may be missing.
  if (room - written < 4 && utf8Length(text) !== written) return -1;
  const needed = varintSize(written);
  if (needed !== guess) {
    if (pos + needed + written > end) return -1;
    memory.copyWithin(pos + needed, start, start + written);
  }
  writeVarint32(memory, pos, end, written);
  return pos + needed + written;
}

/** Writes as many whole characters as there is room for, and answers their bytes. */
function writeText(memory: Uint8Array, at: number, room: number, text: string): number {
  if (utf8Write !== undefined) return utf8Write.call(memory, text, at, room);
  return encoder.encodeInto(text, memory.subarray(at, at + room)).written;
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    length += code < 0x800 ? 1 : 2;
    // A pair is 4 bytes: 2 units, and 2 more.
    const paired = code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (paired) at++;
  }
  return length;
}
