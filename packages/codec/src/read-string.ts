// Strings, by the way that is fastest for their length: the platform takes some 70 ns for any, 8 ASCII characters at a
// time take 20 each.
import { cursor, WireError } from "./read-cursor.ts";
import { readEnd } from "./read-varint.ts";

/** What Node's Buffer can do with any Uint8Array, and browsers cannot. */
interface Utf8Slice {
  call(memory: Uint8Array, start: number, end: number): string;
}

const { Buffer } = globalThis as { Buffer?: { prototype?: { utf8Slice?: Utf8Slice } } };
const utf8Slice: Utf8Slice | undefined = Buffer?.prototype?.utf8Slice;
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The longest string that is read character by character. Pieces of longer ones would have to be put together when it is first used. */
const SHORT = utf8Slice === undefined ? 24 : 16;

/** A string and its length in front; bytes that are no UTF-8 are refused. */
export function readString(memory: Uint8Array, pos: number, limit: number): string {
  const end = readEnd(memory, pos, limit);
  pos = cursor.pos;
  cursor.pos = end;
  return (
    (end - pos <= SHORT ? readAscii(memory, pos, end) : undefined) ??
    readUtf8(memory, pos, end, strict)
  );
}

/** The same of a field without `utf8_validation`: what is no UTF-8 becomes U+FFFD. */
export function readLossyString(memory: Uint8Array, pos: number, limit: number): string {
  const end = readEnd(memory, pos, limit);
  pos = cursor.pos;
  cursor.pos = end;
  return (
    (end - pos <= SHORT ? readAscii(memory, pos, end) : undefined) ??
    readUtf8(memory, pos, end, lossy)
  );
}

function readUtf8(memory: Uint8Array, start: number, end: number, decoder: TextDecoder): string {
  if (utf8Slice !== undefined) {
    const text = utf8Slice.call(memory, start, end);
    // Only then there may have been something that is no UTF-8.
    if (!text.includes("\uFFFD")) return text;
  }
  // Decoders refuse memory that threads share.
  const bytes = sharesMemory(memory) ? memory.slice(start, end) : memory.subarray(start, end);
  try {
    return decoder.decode(bytes);
  } catch {
    throw new WireError("a string is not UTF-8", start);
  }
}

function sharesMemory(memory: Uint8Array): boolean {
  return typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
}

/** The characters of `memory[pos, end)`, or undefined if one is not ASCII. */
function readAscii(memory: Uint8Array, pos: number, end: number): string | undefined {
  let text = "";
  while (end - pos > 8) {
    const a = memory[pos] as number;
    const b = memory[pos + 1] as number;
    const c = memory[pos + 2] as number;
    const d = memory[pos + 3] as number;
    const e = memory[pos + 4] as number;
    const f = memory[pos + 5] as number;
    const g = memory[pos + 6] as number;
    const h = memory[pos + 7] as number;
    if ((a | b | c | d | e | f | g | h) > 127) return undefined;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
    pos += 8;
  }
  for (let at = pos; at < end; at++) if ((memory[at] as number) > 127) return undefined;
  return text + readTail(memory, pos, end - pos);
}

/** 0 to 8 ASCII characters. */
function readTail(memory: Uint8Array, pos: number, length: number): string {
  const a = memory[pos] as number;
  if (length < 2) return length === 0 ? "" : String.fromCharCode(a);
  const b = memory[pos + 1] as number;
  if (length === 2) return String.fromCharCode(a, b);
  const c = memory[pos + 2] as number;
  if (length === 3) return String.fromCharCode(a, b, c);
  const d = memory[pos + 3] as number;
  if (length === 4) return String.fromCharCode(a, b, c, d);
  const e = memory[pos + 4] as number;
  if (length === 5) return String.fromCharCode(a, b, c, d, e);
  const f = memory[pos + 5] as number;
  if (length === 6) return String.fromCharCode(a, b, c, d, e, f);
  const g = memory[pos + 6] as number;
  if (length === 7) return String.fromCharCode(a, b, c, d, e, f, g);
  return String.fromCharCode(a, b, c, d, e, f, g, memory[pos + 7] as number);
}
