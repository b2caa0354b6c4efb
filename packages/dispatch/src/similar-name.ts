/**
 * The name that is most like another one: the same service in another package, or a few letters away; undefined if none is.
 */
export function similarName(name: string, known: Iterable<string>): string | undefined {
  const most = Math.max(2, Math.floor(name.length / 4));
  const ranked = [...known]
    .map((other) => ({ other, distance: rank(name, other, most) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((a, b) => a.distance - b.distance || (a.other < b.other ? -1 : 1));
  return ranked[0]?.other;
}

function rank(name: string, other: string, most: number): number {
  if (Math.abs(name.length - other.length) <= most) {
    const distance = levenshtein(name, other);
    if (distance <= most) return distance;
  }
  return last(name) === last(other) ? most : Infinity;
}

function last(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** How many letters have to be added, taken away or changed to make one name of the other. */
function levenshtein(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
