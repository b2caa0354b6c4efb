/** Control characters, marks that reorder or hide text, line separators, and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Joiners that words and emoji are spelled with. They change nothing but their neighbours. */
const JOINERS = "\u200c\u200d";
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text of a guest that can neither forge a line nor drive a terminal: `\n` for a line feed, `\u{1b}` for ESC.
 *
 * @param keep one character that may stay, such as the line feeds of a stack
 */
export function printable(text: string, keep?: string): string {
  return text.replaceAll(UNPRINTABLE, (c) =>
    c === keep || JOINERS.includes(c)
      ? c
      : (SHORT[c] ?? `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`),
  );
}
