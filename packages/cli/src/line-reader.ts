/** A line of a stream, without its end. */
export interface StreamLine {
  readonly text: string;
  /** It was longer than there is room for: the rest of it is left out. */
  readonly cut: boolean;
}

const LINE_FEED = 10;
/** What a chunk held. */
type Chunk = Uint8Array | string;

/**
 * Splits a stream into lines, and keeps at most `most` bytes of one: nobody's endless line fills the memory. Bytes that are no UTF-8 become
 * U+FFFD.
 */
export async function* readLines(
  source: AsyncIterable<Chunk>,
  most: number,
): AsyncGenerator<StreamLine> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let cut = false;
  const take = (bytes: Uint8Array): void => {
    const room = most - length;
    if (bytes.length > room) cut = true;
    if (room <= 0 || bytes.length === 0) return;
    // A copy: the chunk that a short rest belongs to may be large.
    parts.push(Uint8Array.from(bytes.subarray(0, room)));
    length += Math.min(room, bytes.length);
  };
  const end = (): StreamLine => {
    const line = { text: Buffer.concat(parts).toString("utf8").replace(/\r$/, ""), cut };
    parts = [];
    length = 0;
    cut = false;
    return line;
  };
  for await (const chunk of source) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    let from = 0;
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, from)) {
      take(bytes.subarray(from, at));
      yield end();
      from = at + 1;
    }
    take(bytes.subarray(from));
  }
  if (length > 0 || cut) yield end();
}
