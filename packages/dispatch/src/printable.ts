/** Control characters, marks that reorder or hide text, line separators, and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Joiners that words and emoji are spelled with. They change nothing but their neighbours. */
const JOINERS = "\u200c\u200d";
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text of a guest that can neither forge a line nor drive a terminal: `\n` for a line feed, `\u001b` for ESC. The escapes are those of JSON, so
 * that JSON stays JSON.
 *
 * @param keep one character that may stay, such as the line feeds of a stack
 */
export function printable(text: string, keep?: string): string {
  return text.replaceAll(UNPRINTABLE, (c) =>
    c === keep || JOINERS.includes(c) ? c : (SHORT[c] ?? escapeUnits(c)),
  );
}

/** One escape for each UTF-16 code unit. */
function escapeUnits(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
