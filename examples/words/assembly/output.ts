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
  // Byte by byte: the longest piece that is UTF-8, else one replacement character.
  let result = "";
  let at = 0;
  while (at < bytes.length) {
    let piece: string | null = null;
    let length = min(4, bytes.length - at);
    for (; length > 0; length--) {
      piece = decodeUtf8(bytes.dataStart + at, length);
      if (piece !== null) break;
    }
    result += piece === null ? "\ufffd" : piece;
    at += max(1, length);
  }
  return result;
}

/** Text that a terminal only shows: control characters become `\u009b`. */
export function shown(text: string): string {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const unsafe =
      unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || (unit >= 0x2028 && unit <= 0x202e);
    result += unsafe ? "\\u" + unit.toString(16).padStart(4, "0") : text.charAt(i);
  }
  return result;
}

/** Text as a JSON string. */
export function quoted(text: string): string {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == 0x22 || unit == 0x5c) result += "\\" + text.charAt(i);
    else if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0))
      result += "\\u" + unit.toString(16).padStart(4, "0");
    else result += text.charAt(i);
  }
  return '"' + result + '"';
}
