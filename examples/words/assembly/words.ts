// Splits bytes into words and counts them. A word is a maximal run of ASCII letters, digits and bytes from 0x80 up;
// ASCII letters are lower-cased.

/** Words longer than this many bytes are not counted: they would not fit into a request. */
export const MOST_BYTES: i32 = 1 << 20;

/**
 * The words seen since they were last taken, with their counts.
 *
 * A key is the bytes of a word, each as one UTF-16 unit: a file may hold bytes that are no UTF-8, and a Map needs strings.
 */
@final
export class WordCounter {
  counts: Map<string, i64> = new Map();
  /** Bytes of all keys, for the size of a batch. */
  bytes: i32 = 0;
  /** How many words were too long, since `end`. */
  tooLong: i32 = 0;

  private word: Uint8Array = new Uint8Array(256);
  private length: i32 = 0;
  private over: bool = false;

  /** Takes the next bytes of a file. */
  push(data: Uint8Array, from: i32): void {
    for (let i = from; i < data.length; i++) {
      const byte = unchecked(data[i]);
      if (isWordByte(byte)) this.append(byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte);
      else this.finish();
    }
  }

  /** The file has ended, and so has its last word. */
  end(): void {
    this.finish();
  }

  /** Forgets what was counted: it was sent. */
  clear(): void {
    this.counts = new Map();
    this.bytes = 0;
  }

  private append(byte: u8): void {
    if (this.length == this.word.length) {
      if (this.length >= MOST_BYTES) {
        this.over = true;
        return;
      }
      const larger = new Uint8Array(this.length * 2);
      memory.copy(larger.dataStart, this.word.dataStart, this.length);
      this.word = larger;
    }
    unchecked((this.word[this.length++] = byte));
  }

  private finish(): void {
    if (this.over) this.tooLong++;
    else if (this.length > 0) {
      const key = keyOf(this.word, this.length);
      if (this.counts.has(key)) this.counts.set(key, this.counts.get(key) + 1);
      else {
        this.counts.set(key, 1);
        this.bytes += this.length;
      }
    }
    this.length = 0;
    this.over = false;
  }
}

function isWordByte(byte: u8): bool {
  return (
    byte >= 0x80 ||
    (byte >= 0x30 && byte <= 0x39) ||
    ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a)
  );
}

/** Bytes as a string, each as one unit. */
function keyOf(bytes: Uint8Array, length: i32): string {
  const key = changetype<string>(__new((<usize>length) << 1, idof<string>()));
  for (let i = 0; i < length; i++) {
    store<u16>(changetype<usize>(key) + ((<usize>i) << 1), <u16>unchecked(bytes[i]));
  }
  return key;
}

/** The bytes of a key. */
export function bytesOf(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) unchecked((bytes[i] = <u8>key.charCodeAt(i)));
  return bytes;
}

/** Whether a key is ASCII alone, and so is the word itself. */
export function isAscii(key: string): bool {
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) >= 0x80) return false;
  return true;
}
