import { printable } from "@dropthrough/dispatch";

/** Text of a guest that may stand in an operator's terminal, cut after `most` characters. */
export function excerpt(text: string, most: number): string {
  return printable(text.length > most ? `${text.slice(0, most)}…` : text);
}
