import { printable } from "@dropthrough/dispatch";

/** A label has to fit into a picture. */
const MOST_LETTERS = 120;

/** A line of a label. Names of services come from manifests, which are hostile: they are cut, and drive no terminal. */
export function labelLine(text: string): string {
  return printable(text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text);
}
