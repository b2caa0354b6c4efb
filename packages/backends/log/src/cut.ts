/** The beginning of a text: at most `most` characters (UTF-16 code units), one less where a surrogate pair would be cut in two. */
export function cut(text: string, most: number): string {
  const pair = (text.codePointAt(most - 1) ?? 0) > 0xff_ff;
  return text.slice(0, pair ? most - 1 : most);
}
