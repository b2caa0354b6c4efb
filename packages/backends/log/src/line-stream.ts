import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/**
 * A stream that calls `line` for each line that is written to it, without its end. A line of more than `most` characters comes in pieces, so
 * that nobody's endless line is kept; what has no end when the stream ends is a line as well. Bytes that are no UTF-8 become U+FFFD.
 */
export function lineStream(most: number, line: (text: string) => void): Writable {
  const decoder = new StringDecoder("utf8");
  let kept = "";
  const take = (text: string): void => {
    const parts = (kept + text).split("\n");
    const rest = parts.pop() ?? "";
    for (const part of parts) inPieces(part.replace(/\r$/, ""));
    const whole = Math.floor(rest.length / most) * most;
    if (whole > 0) inPieces(rest.slice(0, whole));
    kept = rest.slice(whole);
  };
  const inPieces = (text: string): void => {
    let at = 0;
    do line(text.slice(at, (at += most)));
    while (at < text.length);
  };
  return new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _, done) {
      take(decoder.write(chunk));
      done();
    },
    final(done) {
      kept += decoder.end();
      if (kept !== "") inPieces(kept);
      kept = "";
      done();
    },
  });
}
