/** Writes a number of at most 32 bits, unsigned; answers where it ends, or -1 if it does not fit. */
export function writeVarint32(memory: Uint8Array, pos: number, end: number, value: number): number {
  while (value > 127) {
    if (pos >= end) return -1;
    memory[pos++] = (value & 127) | 128;
    value >>>= 7;
  }
  if (pos >= end) return -1;
  memory[pos++] = value;
  return pos;
}

/** Writes a number of 64 bits in two halves. */
export function writeVarint64(
  memory: Uint8Array,
  pos: number,
  end: number,
  lo: number,
  hi: number,
): number {
  if (hi === 0 && lo >= 0 && lo < 128 && pos < end) {
    memory[pos] = lo;
    return pos + 1;
  }
  while (hi !== 0) {
    if (pos >= end) return -1;
    memory[pos++] = (lo & 127) | 128;
    lo = (lo >>> 7) | (hi << 25);
    hi >>>= 7;
  }
  return writeVarint32(memory, pos, end, lo >>> 0);
}
