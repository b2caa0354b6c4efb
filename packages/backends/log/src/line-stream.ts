import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { cut } from "./cut.ts";

/**
 * A stream that calls `line` for each line that is written to it, without its end, before that write returns. A line of more than `most`
 * characters comes in pieces, so that nobody's endless line is kept; what has no end when the stream ends is a line as well. Bytes that are
 * no UTF-8 become U+FFFD.
 */
export function lineStream(most: number, line: (text: string) => void): Writable {
  const decoder = new StringDecoder("utf8");
  let kept = "";
  const take = (text: string): void => {
    const parts = (kept + text).split("\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) line(lastPiece(part.replace(/\r$/, "")));
    kept = lastPiece(rest);
  };
  /** Passes on all pieces but the last one, and answers that. */
  const lastPiece = (text: string): string => {
    let rest = text;
    while (rest.length > most) {
      const piece = cut(rest, most);
      line(piece);
      rest = rest.slice(piece.length);
    }
    return rest;
  };
  return new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _, done) {
      take(decoder.write(chunk));
      done();
    },
    final(done) {
      take(decoder.end());
      if (kept !== "") line(kept);
      kept = "";
      done();
    },
  });
}
