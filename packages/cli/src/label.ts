import { printable } from "@dropthrough/dispatch";

/** A label has to fit into a picture. */
const MOST_LETTERS = 120;

/** A line of a label. Names of services come from manifests, which are hostile: they are cut, and drive no terminal. */
export function labelLine(text: string): string {
  return printable(cut(text, MOST_LETTERS));
}

/** A text, with `…` for what is above so many letters. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
