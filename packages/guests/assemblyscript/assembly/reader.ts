import { EMPTY } from "./empty";
import { decodeUtf8 } from "./utf8";

/**
 * How many bytes the objects of one decoded message may take, without texts, bytes and numbers in lists. A nested
 * message of 2 bytes can be an object of hundreds: without a limit a request of 4 MiB empties the memory.
 */
export const MAX_OBJECTS: usize = 64 << 20;

/** How deep messages may be nested, as in every other protobuf library. */
export const MAX_DEPTH: i32 = 100;

/**
 * Reads the protobuf wire format from a range of memory and from nowhere else.
 *
 * ```
 * ptr ──▶ next byte ... │ end of the message being read ... │ end of the message around it
 *          `more()` while ptr < end; begin() moves `end` inwards, finish() back
 * ```
 *
 * AssemblyScript has no exceptions, so a malformed input is a state: after it `failed` is true, `more()` is
 * false and every read answers zero, so that all loops end. Whoever decodes looks at `failed` once.
 */
@final
export class Reader {
  /** The next byte. */
  ptr: usize = 0;
  /** The end of the message that is being read. */
  end: usize = 0;
  /** True once the input turned out to be malformed. */
  failed: bool = false;
  private depth: i32 = 0;
  private objects: usize = 0;
  // Keeps what is being read from being collected while the reader allocates.
  private source: ArrayBuffer | null = null;

  /** Starts on the `length` bytes at `ptr`; the caller keeps them alive. */
  open(ptr: usize, length: i32): void {
    this.ptr = ptr;
    this.end = ptr + length;
    this.failed = false;
    this.depth = 0;
    this.objects = 0;
  }

  /** Starts on an array of bytes, which the reader keeps alive until `close`. */
  openBytes(bytes: Uint8Array): void {
    this.source = bytes.buffer;
    this.open(bytes.dataStart, bytes.length);
  }

  /** Lets go of what was read. */
  close(): void {
    this.source = null;
  }

  /** Declares the input malformed. */
  fail(): void {
    this.failed = true;
    this.ptr = 0;
    this.end = 0;
  }

  /** Whether there is more of the current message. */
  more(): bool {
    return this.ptr < this.end;
  }

  private take(length: usize): usize {
    const p = this.ptr;
    if (length > this.end - p) {
      this.fail();
      return 0;
    }
    this.ptr = p + length;
    return p;
  }

  /** A varint of at most 10 bytes. */
  varint(): u64 {
    const end = this.end;
    let p = this.ptr;
    if (p < end) {
      const first = load<u8>(p);
      if (first < 0x80) {
        this.ptr = p + 1;
        return first;
      }
    }
    let value: u64 = 0;
    for (let shift: u64 = 0; shift < 70; shift += 7) {
      if (p >= end) break;
      const byte = <u64>load<u8>(p++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.ptr = p;
        return value;
      }
    }
    this.fail();
    return 0;
  }

  /** The next tag (field number and wire type); malformed above 32 bits. */
  tag(): u32 {
    const value = this.varint();
    if (value > 0xffffffff) {
      this.fail();
      return 0;
    }
    return <u32>value;
  }

  int32(): i32 {
    return <i32>this.varint();
  }

  uint32(): u32 {
    return <u32>this.varint();
  }

  int64(): i64 {
    return <i64>this.varint();
  }

  uint64(): u64 {
    return this.varint();
  }

  sint32(): i32 {
    const v = <u32>this.varint();
    return <i32>(v >> 1) ^ -(<i32>(v & 1));
  }

  sint64(): i64 {
    const v = this.varint();
    return <i64>(v >> 1) ^ -(<i64>(v & 1));
  }

  bool(): bool {
    return this.varint() != 0;
  }

  fixed32(): u32 {
    const p = this.take(4);
    return p ? load<u32>(p) : 0;
  }

  sfixed32(): i32 {
    return <i32>this.fixed32();
  }

  fixed64(): u64 {
    const p = this.take(8);
    return p ? load<u64>(p) : 0;
  }

  sfixed64(): i64 {
    return <i64>this.fixed64();
  }

  float(): f32 {
    return reinterpret<f32>(this.fixed32());
  }

  double(): f64 {
    return reinterpret<f64>(this.fixed64());
  }

  /** A copy of the next bytes field. */
  bytes(): Uint8Array {
    const length = this.length();
    if (length == 0) return EMPTY;
    const p = this.take(length);
    const copy = new Uint8Array(<i32>length);
    memory.copy(copy.dataStart, p, length);
    return copy;
  }

  /** The next string field; malformed if it is not UTF-8. */
  string(): string {
    const length = this.length();
    if (length == 0) return "";
    const text = decodeUtf8(this.take(length), length);
    if (text !== null) return text;
    this.fail();
    return "";
  }

  /** The length that stands before a length-delimited field; 0 once malformed. */
  private length(): usize {
    const length = this.varint();
    if (length > <u64>(this.end - this.ptr)) {
      this.fail();
      return 0;
    }
    return <usize>length;
  }

  /** Enters packed values or a map entry, and answers the end to give back to `leave`. */
  enter(): usize {
    const length = this.length();
    const outer = this.end;
    if (!this.failed) this.end = this.ptr + length;
    return outer;
  }

  /** Leaves what `enter` entered. */
  leave(outer: usize): void {
    if (!this.failed) this.end = outer;
  }

  /**
   * Enters a message whose object has `size` bytes, and answers the end to give back to `finish`; malformed
   * when nested too deep or when there are too many.
   */
  begin(size: usize): usize {
    const outer = this.enter();
    this.beginGroup(size);
    return outer;
  }

  /** Leaves what `begin` entered. */
  finish(outer: usize): void {
    this.depth -= 1;
    this.leave(outer);
  }

  /** Enters a group, which ends with a tag instead of having a length. */
  beginGroup(size: usize): void {
    this.objects += size + 32; // what the allocator and a list add to each
    if (++this.depth > MAX_DEPTH || this.objects > MAX_OBJECTS) this.fail();
  }

  /** Leaves a group. */
  finishGroup(): void {
    this.depth -= 1;
  }

  /** Passes over the value of a field whose tag was just read. */
  skip(tag: u32): void {
    if (tag >>> 3 == 0) return this.fail();
    switch (tag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.take(8);
        return;
      case 2:
        this.take(this.length());
        return;
      case 3:
        return this.skipGroup(tag + 1);
      case 5:
        this.take(4);
        return;
      default:
        return this.fail();
    }
  }

  private skipGroup(endTag: u32): void {
    if (++this.depth > MAX_DEPTH) this.fail();
    while (this.more()) {
      const tag = this.tag();
      if (tag == endTag) return this.finishGroup();
      this.skip(tag);
    }
    this.fail();
  }
}

/** The one reader of this instance: no decoding starts while another one runs. */
export const reader: Reader = new Reader();
