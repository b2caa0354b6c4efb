/** Above this a buffer is given back after use instead of being kept for the next message. */
export const KEEP: i32 = 1 << 20;

/**
 * Writes the protobuf wire format backwards, from the end of a growing buffer to its start: the length of
 * a nested message is then known when it has to be written, and nothing is measured twice.
 *
 * ```
 * buffer:  [ free ............ | tag len field3 | tag field2 | tag field1 ... ]
 *                              ▲ ptr                                          ▲ end of the buffer
 * ```
 *
 * So messages write their fields from the last to the first, and each field's value before its tag.
 */
@final
export class Writer {
  private buffer: ArrayBuffer = new ArrayBuffer(1024);
  private start: i32 = 1024;

  /** Starts a new message; what was written before is gone. */
  reset(): void {
    if (this.buffer.byteLength > KEEP) this.buffer = new ArrayBuffer(1024);
    this.start = this.buffer.byteLength;
  }

  /** How many bytes are written so far; also what `delimit` wants as its mark. */
  get length(): i32 {
    return this.buffer.byteLength - this.start;
  }

  /** Where they start; valid until the next write. */
  get ptr(): usize {
    return changetype<usize>(this.buffer) + this.start;
  }

  private grow(length: i32): void {
    const old = this.buffer;
    const used = old.byteLength - this.start;
    let capacity = old.byteLength * 2;
    while (capacity - used < length) capacity *= 2;
    const grown = new ArrayBuffer(capacity);
    memory.copy(
      changetype<usize>(grown) + (capacity - used),
      changetype<usize>(old) + this.start,
      used,
    );
    this.buffer = grown;
    this.start = capacity - used;
  }

  private room(length: i32): usize {
    if (this.start < length) this.grow(length);
    this.start -= length;
    return changetype<usize>(this.buffer) + this.start;
  }

  varint(value: u64): void {
    if (value < 0x80) {
      store<u8>(this.room(1), <u8>value);
      return;
    }
    let length = 1;
    for (let rest = value >> 7; rest != 0; rest >>= 7) length++;
    let p = this.room(length);
    while (value > 127) {
      store<u8>(p++, <u8>(value | 0x80));
      value >>= 7;
    }
    store<u8>(p, <u8>value);
  }

  tag(tag: u32): void {
    this.varint(tag);
  }

  int32(value: i32): void {
    this.varint(<u64>(<i64>value));
  }

  uint32(value: u32): void {
    this.varint(value);
  }

  int64(value: i64): void {
    this.varint(<u64>value);
  }

  uint64(value: u64): void {
    this.varint(value);
  }

  sint32(value: i32): void {
    this.varint(<u32>((value << 1) ^ (value >> 31)));
  }

  sint64(value: i64): void {
    this.varint(<u64>((value << 1) ^ (value >> 63)));
  }

  bool(value: bool): void {
    store<u8>(this.room(1), value ? 1 : 0);
  }

  fixed32(value: u32): void {
    store<u32>(this.room(4), value);
  }

  sfixed32(value: i32): void {
    store<i32>(this.room(4), value);
  }

  fixed64(value: u64): void {
    store<u64>(this.room(8), value);
  }

  sfixed64(value: i64): void {
    store<i64>(this.room(8), value);
  }

  float(value: f32): void {
    store<f32>(this.room(4), value);
  }

  double(value: f64): void {
    store<f64>(this.room(8), value);
  }

  /** Bytes as they are, with no length. */
  raw(from: usize, length: i32): void {
    memory.copy(this.room(length), from, length);
  }

  bytes(value: Uint8Array): void {
    this.raw(value.dataStart, value.length);
    this.varint(value.length);
  }

  /** A string as UTF-8; a lone surrogate becomes U+FFFD. */
  string(value: string): void {
    const length = String.UTF8.byteLength(value);
    String.UTF8.encodeUnsafe(
      changetype<usize>(value),
      value.length,
      this.room(length),
      false,
      String.UTF8.ErrorMode.REPLACE,
    );
    this.varint(length);
  }

  /** Puts its length before all that was written since `mark`. */
  delimit(mark: i32): void {
    this.varint(this.length - mark);
  }

  /** A copy of what is written. */
  toBytes(): Uint8Array {
    const length = this.length;
    const copy = new Uint8Array(length);
    memory.copy(copy.dataStart, this.ptr, length);
    return copy;
  }
}

/** The one writer of this instance: no encoding starts while another one runs. */
export const writer: Writer = new Writer();
