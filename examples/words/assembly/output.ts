// What the guest says to people: standard output and standard error are mounts of the file backend.
import { FileServiceClient, OpenRequest, WriteRequest } from "./gen/dropthrough/file/v1/file";
import { decodeUtf8 } from "@dropthrough/assemblyscript/assembly/utf8";

/** One of the two, opened when it is first written to. */
@final
export class Output {
  private handle: u64 = 0;
  private line: bool = false;
  /** Whether a person looks at it. */
  terminal: bool = false;

  constructor(
    private readonly files: FileServiceClient,
    private readonly path: string,
  ) {}

  /** Opens it. False if it cannot be: then nothing is written. */
  open(): bool {
    const request = new OpenRequest();
    request.path = this.path;
    request.write$ = true;
    const opened = this.files.open(request);
    if (!opened.ok) return false;
    this.handle = opened.value.handle;
    const info = opened.value.info;
    this.terminal = info !== null && info.terminal;
    return true;
  }

  /** Writes a line. False if its reader has gone. */
  print(text: string): bool {
    const clear = this.line ? "\r\u001b[K" : "";
    this.line = false;
    return this.send(clear + text + "\n");
  }

  /** Shows how far things are: on a terminal in one line that is written over, elsewhere a line for each. */
  progress(text: string): void {
    if (!this.terminal) {
      this.print(text);
      return;
    }
    this.send("\r\u001b[K" + text);
    this.line = true;
  }

  /** Takes a line of progress away. */
  clear(): void {
    if (this.line) this.send("\r\u001b[K");
    this.line = false;
  }

  private send(text: string): bool {
    const request = new WriteRequest();
    request.handle = this.handle;
    request.data = Uint8Array.wrap(String.UTF8.encode(text));
    return this.files.write(request).ok;
  }
}

/** The bytes of a word as text: what is no UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes.dataStart, bytes.length);
  if (text !== null) return text;
  // Piece by piece: the longest that is UTF-8, else one replacement character.
  const pieces: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    let piece: string | null = null;
    let length = min(4, bytes.length - at);
    for (; length > 0; length--) {
      piece = decodeUtf8(bytes.dataStart + at, length);
      if (piece !== null) break;
    }
    pieces.push(piece === null ? "\ufffd" : piece);
    at += max(1, length);
  }
  return pieces.join("");
}

/** Text that a terminal only shows: control characters become `\u009b`. */
export function shown(text: string): string {
  return escaped(text, false);
}

/** Text as a JSON string. */
export function quoted(text: string): string {
  return '"' + escaped(text, true) + '"';
}

/** What needs no escape is taken over in one piece: a word may have a million letters. */
function escaped(text: string, json: bool): string {
  const pieces: string[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const quote = json && (unit == 0x22 || unit == 0x5c);
    if (!quote && !isUnsafe(unit)) continue;
    if (i > from) pieces.push(text.substring(from, i));
    pieces.push(quote ? "\\" + text.charAt(i) : "\\u" + unit.toString(16).padStart(4, "0"));
    from = i + 1;
  }
  if (from == 0) return text;
  pieces.push(text.substring(from));
  return pieces.join("");
}

/** Control characters, line separators, and marks that reorder text. */
function isUnsafe(unit: i32): bool {
  return unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || (unit >= 0x2028 && unit <= 0x202e);
}
