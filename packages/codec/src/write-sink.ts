import { InPlaceBytes } from "./bytes-into.ts";
import { writeVarint32 } from "./write-varint.ts";

/** What the encoders of one message share; see `withSink` for two at a time. */
export const sink = {
  /** Whether a message is being written. */
  busy: false,
  /** Whether a `bytesInto` may be filled where it stands; else it makes an array of its own first. */
  inPlace: false,
  /** Bytes that the last length took. */
  width: 1,
  /** Whether any of the following was touched. */
  dirty: false,
  /** Whether room for a length is one byte, even where the last one took more: so that what fits, fits. */
  narrow: false,
  /** Whether a length was given more room than one byte. */
  wide: false,
  /** Whether what was thrown came out of a `bytesInto`, and is its caller's business. */
  threw: false,
  /** What was filled in place last; it knows what was before it. */
  placed: undefined as InPlaceBytes | undefined,
};

export function clean(): void {
  sink.dirty = sink.narrow = sink.wide = sink.threw = false;
  sink.placed = undefined;
}

/** Writes a message while another one is being written: from within a `bytesInto`, say. */
export function withSink<Answer>(write: () => Answer): Answer {
  const outer = { ...sink };
  clean();
  sink.busy = false;
  try {
    return write();
  } finally {
    Object.assign(sink, outer);
  }
}

/** Takes back what was filled in a place that is given up: nobody fills it a second time. */
export function keepPlaced(memory: Uint8Array): void {
  InPlaceBytes.takeBack(sink.placed, memory);
  sink.placed = undefined;
}

/** How many bytes to leave for the length of what comes next, when it took `last` the last time. */
export function roomForLength(last: number): number {
  if (last === 1 || sink.narrow) return 1;
  sink.dirty = sink.wide = true;
  return last;
}

/**
 * Writes the length in front of what was just written, and answers where that ends now, or -1 if it does not fit.
 *
 * ```text
 *  memory   at      at + width             end of it         end
 *           │ length │ what was just written │ ... free ...   │
 *           room guessed: a wrong guess moves what follows
 * ```
 */
export function closeLength(
  memory: Uint8Array,
  at: number,
  width: number,
  pos: number,
  end: number,
): number {
  const length = pos - at - width;
  const needed = varintSize(length);
  if (needed !== width) {
    if (pos + needed - width > end) return -1;
    memory.copyWithin(at + needed, at + width, pos);
    InPlaceBytes.move(sink.placed, at, needed - width);
  }
  sink.width = needed;
  writeVarint32(memory, at, end, length);
  return at + needed + length;
}

export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
