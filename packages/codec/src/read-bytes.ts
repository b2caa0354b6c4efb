import { cursor } from "./read-cursor.ts";
import { readEnd } from "./read-varint.ts";

/** A `bytes` field and its length in front: a copy, or a view where the caller borrows. */
export function readBytes(memory: Uint8Array, pos: number, limit: number): Uint8Array {
  const end = readEnd(memory, pos, limit);
  pos = cursor.pos;
  cursor.pos = end;
  return cursor.borrow ? lendBytes(memory, pos, end) : copyBytes(memory, pos, end);
}

// The engine goes to its runtime for the buffer of an array, which takes as long as a view does; most messages come out of
// the memory that the last one came from. So the memory that was read last is kept, even after its guest is gone.
let lastMemory = new Uint8Array(0);
let lastBuffer: ArrayBufferLike = lastMemory.buffer;
/** Whether `slice` answers a copy, and nothing but a Uint8Array: a Buffer has one of its own. */
let lastIsPlain = true;

function remember(memory: Uint8Array): void {
  lastMemory = memory as Uint8Array<ArrayBuffer>;
  lastBuffer = memory.buffer;
  lastIsPlain = Object.getPrototypeOf(memory) === Uint8Array.prototype;
}

/** A view of `memory[start, end)`: what `subarray` answers, in a third of the time. */
function viewOf(memory: Uint8Array, start: number, end: number): Uint8Array {
  if (memory !== lastMemory) remember(memory);
  return new Uint8Array(lastBuffer, memory.byteOffset + start, end - start);
}

/** What was lent last, and where it stands. */
let lent = new Uint8Array(0);
let lentFrom = lent;
let lentAt = 0;
let lentEnd = 0;

/** A view to be borrowed. Most guests use one buffer over and over, and making the view costs more than reading the message around it. */
function lendBytes(memory: Uint8Array, start: number, end: number): Uint8Array {
  if (memory === lentFrom && start === lentAt && end === lentEnd) return lent;
  lentFrom = memory as Uint8Array<ArrayBuffer>;
  lentAt = start;
  lentEnd = end;
  return (lent = viewOf(memory, start, end) as Uint8Array<ArrayBuffer>);
}

// Engines keep up to 64 bytes of an array in the object; more costs a system allocation, of some microseconds whatever its
// size, which many small ones share: out of as much as Node's own small Buffers do.
const LOOP = 24;
const IN_OBJECT = 64;
const SHARED = 4096;
const SLAB = 65_536;
let slab = new ArrayBuffer(0);
let used = 0;

/** The bytes of `memory[start, end)`, in a plain Uint8Array that is not a view of the memory. */
export function copyBytes(memory: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const length = end - start;
  if (length <= LOOP) {
    const copy = new Uint8Array(length);
    for (let at = 0; at < length; at++) copy[at] = memory[start + at] as number;
    return copy;
  }
  if (memory !== lastMemory) remember(memory);
  // One object in place of two.
  if (length <= IN_OBJECT && lastIsPlain) return memory.slice(start, end);
  const from = viewOf(memory, start, end);
  if (length <= IN_OBJECT || length > SHARED) return new Uint8Array(from);
  if (used + length > slab.byteLength) {
    slab = new ArrayBuffer(SLAB);
    used = 0;
  }
  const copy = new Uint8Array(slab, used, length);
  used += length;
  copy.set(from);
  return copy;
}
