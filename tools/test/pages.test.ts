import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const pages = globSync(["*.md", "docs/*.md", "bench/*.md", "{packages,examples}/**/*.md"], {
  cwd: root,
  exclude: (path) => path.includes("node_modules") || path.includes("CHANGELOG"),
});

interface Package {
  readonly scripts?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}
const packageOf = (folder: string): Package =>
  JSON.parse(read(join(folder, "package.json"))) as Package;

/** What stands as code in a page. */
function codeOf(page: string): string {
  const code = read(page).matchAll(/^```\w*\n([^]*?)^```|`([^`\n]+)`/gm);
  return [...code].map(([, block = "", words = ""]) => block + words).join("\n");
}

test("every command of pnpm in a page is there", () => {
  const found = pages.flatMap((page) => {
    const own = join(dirname(page), "package.json");
    const { scripts } = existsSync(join(root, own)) ? packageOf(dirname(page)) : {};
    const known = { install: "", ...packageOf(".").scripts, ...scripts };
    return [...codeOf(page).matchAll(/\bpnpm ([a-z][\w:-]*)/g)].map(([, name = ""]) => ({
      command: `${page}: pnpm ${name}`,
      isThere: Object.hasOwn(known, name) || existsSync(join(root, "node_modules/.bin", name)),
    }));
  });
  expect(found.length).toBeGreaterThan(30);
  expect(found.filter(({ isThere }) => !isThere)).toEqual([]);
});

describe("docs/ARCHITECTURE.md", () => {
  const table = read("docs/ARCHITECTURE.md").matchAll(
    /^\| \[([^\]]+)\]\(\.\.\/packages.* \| ([^|]+) \|$/gm,
  );
  const rows = [...table].map(([, folder = "", allowed = ""]) => [folder, allowed] as const);
  const ours = ({ dependencies, peerDependencies }: Package): string[] =>
    Object.keys({ ...dependencies, ...peerDependencies }).flatMap(
      (name) => /^@dropthrough\/(.*)$/.exec(name)?.[1] ?? [],
    );

  test("has a row for every package", () => {
    const found = rows.flatMap(([folder]) =>
      globSync(`packages/${folder}/package.json`, { cwd: root }),
    );
    const all = globSync("packages/{*,*/*}/package.json", { cwd: root });
    expect(found.toSorted()).toEqual(all.toSorted());
  });

  test.each(rows)("what %s may import is %s", (folder, allowed) => {
    for (const path of globSync(`packages/${folder}/package.json`, { cwd: root }))
      for (const name of ours(packageOf(dirname(path))))
        expect(allowed.split(/[ ,;]+/), `${path} depends on ${name}`).toContain(name);
  });
});
