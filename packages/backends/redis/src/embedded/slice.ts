/** A range by place: both ends are in it, and below 0 they count from the end. */
export function slice<T>(items: readonly T[], start: number, stop: number): readonly T[] {
  const from = start < 0 ? Math.max(0, items.length + start) : start;
  const to = stop < 0 ? items.length + stop : stop;
  return items.slice(from, Math.max(from, to + 1));
}
