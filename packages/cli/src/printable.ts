/** What drives a terminal, forges a line or turns the reading direction: never printed as it is. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * Text on one line, for a terminal: control characters of every kind become escapes, `\u001b` for an escape.
 * Names, reasons and messages come from guests, which are hostile.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The same for text of several lines, whose ends are kept. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
