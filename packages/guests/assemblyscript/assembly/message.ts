import { Reader, reader } from "./reader";
import { UnknownFields } from "./unknown-fields";
import { Writer, writer } from "./writer";

/** What every generated message is. */
export abstract class Message {
  /** The fields that the generated class does not know; null if there are none. */
  unknownFields: UnknownFields | null = null;

  /** The full name of the message's type, such as "words.v1.AddRequest". */
  abstract typeName(): string;

  /** Writes all fields, from the last to the first. */
  abstract write(w: Writer): void;

  /** Reads fields into this message until its end; `endTag` is 0, or the tag that ends a group. */
  abstract read(r: Reader, endTag: u32): void;

  /** Whether all required fields of this message and of those in it are set (proto2). */
  initialized(): bool {
    return true;
  }

  /** The message as bytes. */
  encode(): Uint8Array {
    writer.reset();
    this.write(writer);
    return writer.toBytes();
  }

  /** Keeps the bytes from `start` to where the reader is: a field that came and is not understood. */
  protected keep(r: Reader, start: usize): void {
    if (!r.failed) this.unknown().add(start, <i32>(r.ptr - start));
  }

  /** Keeps one value of a closed enum that its type does not list. */
  protected keepVarint(tag: u32, value: i32): void {
    this.unknown().addVarint(tag, <u64>(<i64>value));
  }

  /** Passes over a field and keeps it; true if its tag ends the group that is being read. */
  protected other(r: Reader, tag: u32, start: usize, endTag: u32): bool {
    if (tag == endTag && endTag != 0) return true;
    r.skip(tag);
    this.keep(r, start);
    return false;
  }

  private unknown(): UnknownFields {
    let fields = this.unknownFields;
    if (fields === null) {
      fields = new UnknownFields();
      this.unknownFields = fields;
    }
    return fields;
  }
}

/** Reads `length` bytes at `ptr` into a message; false if they are malformed or a required field is absent. */
export function readMessage(message: Message, ptr: usize, length: i32): bool {
  reader.open(ptr, length);
  message.read(reader, 0);
  return !reader.failed && message.initialized();
}

/** A message from its bytes; null if they are malformed or a required field is absent. */
export function decode<T extends Message>(bytes: Uint8Array): T | null {
  const message = instantiate<T>();
  reader.openBytes(bytes);
  message.read(reader, 0);
  reader.close();
  return !reader.failed && message.initialized() ? message : null;
}
