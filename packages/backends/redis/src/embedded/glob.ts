/**
 * Whether text matches a pattern of Redis: `*`, `?`, `[ab]`, `[^a-c]`, and a backslash before a byte that is meant as it is.
 * It takes at most as many steps as the text has bytes times those of the pattern, whatever the pattern is.
 */
export function matches(pattern: string, text: string): boolean {
  const parts = parse(pattern);
  let part = 0;
  let place = 0;
  // Where to go back to: the last star, and how much of the text it has taken.
  let star = -1;
  let taken = 0;
  while (place < text.length) {
    const test = parts[part];
    if (test === ANY) {
      star = part++;
      taken = place;
    } else if (test?.(text.charCodeAt(place)) === true) {
      part++;
      place++;
    } else if (star >= 0) {
      part = star + 1;
      place = ++taken;
    } else return false;
  }
  while (parts[part] === ANY) part++;
  return part === parts.length;
}

/** Whether a byte fits one part of a pattern. */
type Part = (byte: number) => boolean;
/** The part that takes any number of bytes. */
const ANY: Part = () => true;

function parse(pattern: string): Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const letter = pattern[i];
    if (letter === "*") parts.push(ANY);
    else if (letter === "?") parts.push(() => true);
    else if (letter === "[") {
      const { part, end } = parseClass(pattern, i + 1);
      parts.push(part);
      i = end;
    } else {
      if (letter === "\\" && i + 1 < pattern.length) i++;
      const code = pattern.charCodeAt(i);
      parts.push((byte) => byte === code);
    }
  }
  return parts;
}

/** What stands between brackets. One that is never closed ends with the pattern. */
function parseClass(pattern: string, start: number): { part: Part; end: number } {
  const negated = pattern[start] === "^";
  const ranges: [number, number][] = [];
  let i = negated ? start + 1 : start;
  for (; i < pattern.length && pattern[i] !== "]"; i++) {
    if (pattern[i] === "\\" && i + 1 < pattern.length) {
      i++;
      ranges.push([pattern.charCodeAt(i), pattern.charCodeAt(i)]);
    } else if (pattern[i + 1] === "-" && i + 2 < pattern.length) {
      const [from, to] = [pattern.charCodeAt(i), pattern.charCodeAt(i + 2)];
      ranges.push([Math.min(from, to), Math.max(from, to)]);
      i += 2;
    } else ranges.push([pattern.charCodeAt(i), pattern.charCodeAt(i)]);
  }
  const inside = (byte: number): boolean =>
    ranges.some(([low, high]) => byte >= low && byte <= high);
  return { part: (byte) => inside(byte) !== negated, end: i };
}
