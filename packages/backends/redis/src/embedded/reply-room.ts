import { ReplyError } from "../redis-error.ts";
import { PLACE } from "../reply.ts";

/** Bytes that the call which is being answered may still take. The engine answers one call at a time, in one turn. */
let room = Infinity;
let most = Infinity;

/** Runs what answers a call, whose replies may take so many bytes together. */
export function answerWithin<T>(bytes: number, answer: () => T): T {
  room = most = bytes;
  try {
    return answer();
  } finally {
    room = most = Infinity;
  }
}

/** Text with one character for each byte → the bytes. @throws ReplyError if there is no room for them in the reply */
export function toBytes(text: string): Buffer {
  room -= text.length + PLACE;
  if (room < 0) {
    throw new ReplyError(`OOM the reply takes more than ${most} bytes: ask for less at once`);
  }
  return Buffer.from(text, "latin1");
}

/** The same, or null. */
export function toReply(text: string | undefined): Buffer | null {
  return text === undefined ? null : toBytes(text);
}
