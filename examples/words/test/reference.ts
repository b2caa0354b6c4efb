import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The definition of the table, as plainly as it can be said: what the guests have to agree with. */
export function reference(path: string, top: number): [string, number][] {
  const counts = new Map<string, number>();
  for (const file of filesOf(path)) {
    const bytes = readFileSync(file);
    if (bytes.subarray(0, 8192).includes(0)) continue;
    const lower = bytes.toString("latin1").replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
    for (const [word] of lower.matchAll(/[0-9a-z\u0080-\u00ff]+/g))
      counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(
      ([a, n], [b, m]) =>
        m - n || Buffer.compare(Buffer.from(a, "latin1"), Buffer.from(b, "latin1")),
    )
    .slice(0, top)
    .map(([word, count]) => [Buffer.from(word, "latin1").toString(), count]);
}

function filesOf(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return filesOf(join(path, entry.name));
    return entry.isFile() ? [join(path, entry.name)] : [];
  });
}
