/**
 * The fields of a message that its generated class does not know, as they came: tag and value, in order.
 *
 * They are written again after the known ones, so that a guest compiled against an older .proto file
 * passes on what it does not understand.
 */
@final
export class UnknownFields {
  private buffer: ArrayBuffer = new ArrayBuffer(32);
  private size: i32 = 0;

  /** How many bytes there are. */
  get length(): i32 {
    return this.size;
  }

  /** Where they start; valid until the next `add`. */
  get ptr(): usize {
    return changetype<usize>(this.buffer);
  }

  /** Appends the `length` bytes at `from`. */
  add(from: usize, length: i32): void {
    const size = this.size;
    const old = this.buffer;
    if (size + length > old.byteLength) {
      // Doubling: a hostile message of many small unknown fields costs linear time.
      const grown = new ArrayBuffer(max(old.byteLength * 2, size + length));
      memory.copy(changetype<usize>(grown), changetype<usize>(old), size);
      this.buffer = grown;
    }
    memory.copy(changetype<usize>(this.buffer) + size, from, length);
    this.size = size + length;
  }

  /** Appends one field of wire type 0. */
  addVarint(tag: u32, value: u64): void {
    const field = memory.data(16);
    const p = putVarint(putVarint(field, tag), value);
    this.add(field, <i32>(p - field));
  }

  /** A copy of them. */
  toBytes(): Uint8Array {
    const copy = new Uint8Array(this.size);
    memory.copy(copy.dataStart, changetype<usize>(this.buffer), this.size);
    return copy;
  }
}

/** Writes a varint at `to` and answers where it ends. */
function putVarint(to: usize, value: u64): usize {
  while (value > 127) {
    store<u8>(to++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(to, <u8>value);
  return to + 1;
}
