import { globSync } from "node:fs";
import { join } from "node:path";
import type { CaseMaker } from "./case.ts";

/** A case that was found, and the file that makes it. */
export interface Found {
  readonly file: string;
  readonly maker: CaseMaker;
}

/** The folder that holds the repository. */
export const ROOT: string = join(import.meta.dirname, "../..");

/**
 * Finds cases: every `*.bench.ts` below a folder, no list anywhere.
 *
 * @throws Error if two of them have one name
 */
export async function findCases(filter: RegExp, root: string = ROOT): Promise<Found[]> {
  const files = globSync("**/*.bench.ts", {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist|build|\.[^/]+)$/.test(path),
  }).toSorted();
  const found: Found[] = [];
  for (const name of files) {
    const file = join(root, name);
    for (const maker of await makersOf(file)) {
      const twin = found.find((other) => other.maker.name === maker.name);
      if (twin) throw new Error(`${maker.name} is in ${twin.file} and in ${file}: rename one`);
      found.push({ file, maker });
    }
  }
  return found.filter(({ maker }) => filter.test(maker.name));
}

/** The cases of one file. */
export async function makersOf(file: string): Promise<readonly CaseMaker[]> {
  return ((await import(file)) as { default: readonly CaseMaker[] }).default;
}
