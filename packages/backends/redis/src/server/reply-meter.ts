import { PLACE } from "../reply.ts";

/** What reads the replies that are not too large. */
export interface ReplyReader {
  /** What comes next, of any number of replies. */
  write(bytes: Buffer): void;
  /** Forgets the reply of which it has only read the start. */
  reset(): void;
  /** Instead of a reply, which takes so many bytes. */
  tooLarge(bytes: number): void;
  /** Instead of a message that nobody asked for. */
  missed(): void;
}

/** The server said what is no reply. What comes next may be the middle of one: its connection is of no use any more. */
export class BrokenReply extends Error {
  override readonly name = "BrokenReply";
}

/** How deep lists may be in lists. */
const MOST_DEEP = 64;
/** Bytes of a status, an error or a number. */
const MOST_LINE = 65_536;
/** Digits of a length. */
const MOST_DIGITS = 15;

const LF = 10;
const CR = 13;
const MINUS = 45;
const ZERO = 48;

/**
 * Reads the frame of each reply (RESP3) before the client library reads the reply: what it will take is counted before
 * it is taken, since the library makes room for whatever a server announces.
 *
 * ```text
 *  *2 \r\n $3 \r\n abc \r\n :7 \r\n   ─▶  a list of 2 (128), 3 bytes, a line of 2   ─▶  reader, if it is not above the bound
 * ```
 *
 * A reply that is too large is read to its end and thrown away: who asked for it hears so, and nobody else is disturbed.
 */
export class ReplyMeter {
  readonly #reader: ReplyReader;
  readonly #mostBytes: number;
  /** The start of a line whose end is still to come. The reader does not have it yet. */
  #line: Buffer | undefined;
  /** Bytes that are to come of a text, with the two that end it. */
  #missing = 0;
  /** How many values are to come of each list that is not whole: the innermost is the last. */
  readonly #left: number[] = [];
  /** What the reply takes, as far as is known. */
  #bytes = 0;
  #isPush = false;
  #skipping = false;
  /** Whether the reader has the start of the reply. */
  #begun = false;

  constructor(reader: ReplyReader, mostBytes: number) {
    this.#reader = reader;
    this.#mostBytes = mostBytes;
  }

  /** @throws BrokenReply, and is of no use afterwards */
  write(more: Buffer): void {
    const chunk = this.#line === undefined ? more : Buffer.concat([this.#line, more]);
    this.#line = undefined;
    // What the reader has of the chunk, and where in it the reply begins that is not whole.
    let passed = 0;
    let whole = 0;
    const pass = (to: number): void => {
      if (to > passed && !this.#skipping) this.#reader.write(chunk.subarray(passed, to));
      passed = to;
    };
    let at = 0;
    while (at < chunk.length) {
      let next: number;
      try {
        next = this.#read(chunk, at);
      } catch (error) {
        pass(whole);
        throw error;
      }
      if (this.#bytes > this.#mostBytes && !this.#skipping) {
        pass(whole);
        if (this.#begun) this.#reader.reset();
        this.#skipping = true;
      }
      if (next === at) break;
      at = next;
      if (this.#missing > 0 || this.#left.length > 0) continue;
      if (this.#skipping) {
        passed = at;
        this.#tell();
      }
      whole = at;
      this.#bytes = 0;
      this.#begun = false;
    }
    pass(at);
    this.#begun ||= at > whole;
    if (at < chunk.length) this.#line = chunk.subarray(at);
  }

  #tell(): void {
    this.#skipping = false;
    if (this.#isPush) this.#reader.missed();
    else this.#reader.tooLarge(this.#bytes);
  }

  /** Reads one line or what is there of a text; answers where the next thing begins, or `at` if the line is not whole. */
  #read(chunk: Buffer, at: number): number {
    if (this.#missing > 0) {
      const taken = Math.min(this.#missing, chunk.length - at);
      this.#missing -= taken;
      if (this.#missing === 0) this.#end();
      return at + taken;
    }
    const end = endOfLine(chunk, at);
    if ((end < 0 ? chunk.length : end) - at > MOST_LINE) {
      throw new BrokenReply("a line is longer than 64 KiB");
    }
    if (end < 0) return at;
    if (this.#left.length === 0) this.#isPush = false;
    this.#begin(chunk, at, end);
    return end + 2;
  }

  /** A value, whose line is whole. The kinds are those that the library knows. */
  #begin(chunk: Buffer, at: number, end: number): void {
    const kind = chunk[at];
    switch (kind) {
      case 36: // $ bytes
      case 33: // ! an error
      case 61: // = text, with three letters and a colon before it
        return this.#text(lengthOf(chunk, at + 1, end, kind === 36), kind === 61 ? 4 : 0);
      case 42: // * a list
      case 126: // ~ a set
        return this.#list(lengthOf(chunk, at + 1, end, kind === 42), 1);
      case 37: // % a map
        return this.#list(lengthOf(chunk, at + 1, end, false), 2);
      case 62: // > what nobody asked for
        if (this.#left.length > 0) throw new BrokenReply("a message stands inside a reply");
        this.#isPush = true;
        return this.#list(lengthOf(chunk, at + 1, end, false), 1);
      case 43: // + a status
      case 45: // - an error
      case 58: // : a whole number
      case 44: // , a number
      case 40: // ( a large number
        return this.#scalar(end - at);
      case 95: // _ nothing
      case 35: // # true or false
        if (end - at !== (kind === 95 ? 1 : 2)) break;
        return this.#scalar(end - at);
    }
    throw new BrokenReply(`a reply begins with the byte ${kind}`);
  }

  #scalar(bytes: number): void {
    this.#bytes += bytes;
    this.#end();
  }

  #text(length: number, atLeast: number): void {
    if (length < 0) return this.#end();
    if (length < atLeast) throw new BrokenReply("a text has no kind");
    this.#bytes += length;
    this.#missing = length + 2;
  }

  #list(length: number, each: number): void {
    if (length <= 0) return this.#end();
    if (this.#left.length === MOST_DEEP) {
      throw new BrokenReply(`lists are more than ${MOST_DEEP} deep`);
    }
    this.#bytes += length * each * PLACE;
    this.#left.push(length * each);
  }

  /** A value is whole, and may be the last one of its list. */
  #end(): void {
    const left = this.#left;
    for (let last = left.length - 1; last >= 0; last--) {
      const rest = (left[last] ?? 0) - 1;
      if (rest > 0) {
        left[last] = rest;
        return;
      }
      left.pop();
    }
  }
}

/** Where the line that begins at `at` ends; -1 if it is not whole. */
function endOfLine(chunk: Buffer, at: number): number {
  let end = at;
  while (end < chunk.length && chunk[end] !== CR) end++;
  if (end + 1 >= chunk.length) return -1;
  if (chunk[end + 1] !== LF) throw new BrokenReply("a line does not end where it should");
  return end;
}

/** -1 for nothing, where there may be nothing. */
function lengthOf(chunk: Buffer, first: number, end: number, orNothing: boolean): number {
  if (orNothing && end === first + 2 && chunk[first] === MINUS && chunk[first + 1] === ZERO + 1) {
    return -1;
  }
  if (end === first || end - first > MOST_DIGITS) throw new BrokenReply("a length is none");
  let length = 0;
  for (let i = first; i < end; i++) {
    const digit = (chunk[i] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) throw new BrokenReply("a length is none");
    length = length * 10 + digit;
  }
  return length;
}
