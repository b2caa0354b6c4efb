import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface Package {
  name: string;
  private?: boolean;
  description?: string;
  license?: string;
  type?: string;
  repository?: { directory?: string };
  files?: string[];
  exports?: Record<string, string>;
  publishConfig?: {
    access?: string;
    exports?: Record<string, { types: string; default: string } | string>;
  };
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const folders = globSync("packages/{*,backends/*,guests/*,facades/*}/package.json", { cwd: root })
  .map((file) => file.replace("/package.json", ""))
  .toSorted();
const packageOf = (folder: string): Package =>
  JSON.parse(read(`${folder}/package.json`)) as Package;
const published = folders.filter((folder) => packageOf(folder).private !== true);

test("what is private says so for a reason that its README gives", () => {
  for (const folder of folders.filter((one) => !published.includes(one)))
    expect(read(`${folder}/README.md`), folder).toContain("never published");
});

const contract = (folder: string): string => `proto/dropthrough/${basename(folder)}`;
test.each(published.filter((folder) => existsSync(join(root, contract(folder)))))(
  "%s publishes its contract, from which guests and clients are generated",
  (folder) => {
    expect(packageOf(folder).files).toContain("proto");
    const cwd = join(root, folder);
    const { status, stderr } = spawnSync("pnpm", ["run", "prepack"], { cwd, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const files = globSync("v1/*.proto", { cwd: join(root, contract(folder)) });
    expect(files).not.toEqual([]);
    for (const file of files) {
      const path = `${contract(folder)}/${file}`;
      expect(read(`${folder}/${path}`)).toBe(read(path));
    }
  },
);

describe.each(published)("%s", (folder) => {
  const pkg = packageOf(folder);

  test("can be published by itself", () => {
    expect(pkg.license).toBe("MIT");
    expect(pkg.type).toBe("module");
    expect(pkg.description).toBeTruthy();
    expect(pkg.repository?.directory).toBe(folder);
    expect(pkg.publishConfig?.access).toBe("public");
    for (const part of ["README.md", "tsconfig.json", "turbo.json", "src"]) {
      expect(existsSync(join(root, folder, part)), `${folder}/${part}`).toBe(true);
    }
  });

  test("publishes from dist what it exports from src", () => {
    const targets = Object.entries(pkg.publishConfig?.exports ?? {});
    expect(targets.map(([path]) => path)).toEqual(Object.keys(pkg.exports ?? {}));
    for (const [path, target] of targets) {
      const source = pkg.exports?.[path] ?? "";
      if (typeof target === "string") expect(target).toBe(source);
      else expect(target.default).toBe(source.replace("./src/", "./dist/").replace(/\.ts$/, ".js"));
    }
  });

  test("takes its versions from the workspace", () => {
    for (const [name, version] of Object.entries({
      ...pkg.dependencies,
      ...pkg.devDependencies,
      ...pkg.peerDependencies,
    })) {
      expect(version, name).toMatch(/^(catalog:|workspace:\^)$/);
    }
  });

  test("has a test for what it says", () => {
    expect(globSync(`${folder}/test/**/*.test.ts`, { cwd: root })).not.toEqual([]);
  });
});

describe.each(folders.filter((folder) => folder.startsWith("packages/backends/")))(
  "the backend %s",
  (folder) => {
    const pkg = packageOf(folder);
    const name = basename(folder);

    test("is named as its folder, its package, its factory and its contract are", () => {
      expect(pkg.name).toBe(`@dropthrough/${name}`);
      expect(read(`${folder}/src/index.ts`)).toMatch(new RegExp(`export function ${name}\\(`));
      expect(existsSync(join(root, `proto/dropthrough/${name}/v1/${name}.proto`))).toBe(true);
    });

    test("peers on dispatch, and depends on nothing else of ours", () => {
      const ours = (list: Record<string, string> = {}): string[] =>
        Object.keys(list).filter((n) => n.startsWith("@dropthrough/"));
      expect(ours(pkg.peerDependencies)).toEqual(["@dropthrough/dispatch"]);
      expect(ours(pkg.dependencies)).toEqual([]);
    });

    test("provokes every code of its contract", () => {
      const tests = globSync(`${folder}/test/**/*.test.ts`, { cwd: root });
      expect(
        tests.filter((file) => /codesWithoutRow\([^]*toEqual\(\[\]\)/.test(read(file))),
      ).not.toEqual([]);
    });
  },
);

/** Spelled so that this file does not find itself. */
const UNFINISHED = new RegExp(
  [
    "\\b(it|test|describe)[.](skip|only|todo)\\b",
    "\\bFIXM[E]\\b",
    "\\bTOD[O]\\b",
    "@ts-(ignor[e]|nochec[k])",
  ].join("|"),
);

test("nothing skips a test, and nothing is left unfinished", () => {
  const files = globSync("{packages,examples,tools}/**/*.{ts,mjs}", {
    cwd: root,
    exclude: (path) => /node_modules|\/gen\/|\/dist\/|\/build\//.test(path),
  });
  const found = files.flatMap((file) =>
    read(file)
      .split("\n")
      .filter((line) => UNFINISHED.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(found).toEqual([]);
});
