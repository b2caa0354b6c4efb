import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const pages = globSync(["*.md", "docs/*.md", "{packages,examples}/**/*.md"], {
  cwd: root,
  exclude: (path) => path.includes("node_modules") || path.includes("CHANGELOG"),
});

/** The TypeScript blocks of all pages, each written as a module into the folder of its page. */
const blocks = pages.toSorted().flatMap((page) =>
  [...readFileSync(join(root, page), "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(
    ([, code = ""], index) => ({
      page,
      code,
      name: `${page} block ${index + 1}`,
      file: join(root, dirname(page), `.readme-${page.replaceAll(/\W/g, "-")}-${index}.ts`),
    }),
  ),
);

/** A page may use any of our packages, and Connect, as somebody who installed them does. */
function paths(): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const file of globSync("packages/{*,*/*}/package.json", { cwd: root })) {
    const folder = join(root, dirname(file));
    const pkg = JSON.parse(readFileSync(join(root, file), "utf8")) as {
      name: string;
      exports?: Record<string, string>;
    };
    for (const [path, target] of Object.entries(pkg.exports ?? {})) {
      if (target.endsWith(".ts")) found[join(pkg.name, path)] = [join(folder, target)];
    }
  }
  const connect = "packages/dispatch/node_modules/@connectrpc/connect/dist/esm/index.d.ts";
  return { ...found, "@connectrpc/connect": [join(root, connect)] };
}

describe("the code in the pages", () => {
  test("is there", () => {
    expect(blocks.map((block) => block.page)).toContain("packages/dispatch/README.md");
  });

  const older = join(root, "tools/node_modules/typescript-5/bin/tsc");
  test.each([
    ["our TypeScript", ["tsc"]],
    ["TypeScript 5", [process.execPath, older]],
  ])("compiles with %s, every block of it", { timeout: 120_000 }, (_, [command = "", ...args]) => {
    const scratch = mkdtempSync(join(root, "node_modules/.readme-"));
    try {
      for (const { file, code } of blocks) writeFileSync(file, `${code}\nexport {};\n`);
      const config = join(scratch, "tsconfig.json");
      writeFileSync(
        config,
        JSON.stringify({
          extends: join(root, "tsconfig.json"),
          compilerOptions: {
            noUnusedLocals: false,
            noUnusedParameters: false,
            rootDir: root,
            paths: paths(),
          },
          files: blocks.map((block) => block.file),
          include: [],
        }),
      );
      const options = { cwd: root, encoding: "utf8" } as const;
      const { stdout, status } = spawnSync(command, [...args, "--project", config], options);
      expect(status, "tsc is there").not.toBeNull();
      // What is wrong elsewhere is the business of the step "types".
      expect(stdout.split("\n").filter((line) => line.includes(".readme-"))).toEqual([]);
    } finally {
      for (const { file } of blocks) rmSync(file, { force: true });
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

describe("the links in the pages", () => {
  test.each(pages.toSorted())(
    "%s: every one leads to a file that is there, and to a heading in it",
    (page) => {
      const text = readFileSync(join(root, page), "utf8").replaceAll(/```.*?```/gs, "");
      for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        expect(globSync(file, { cwd: root }), `${page} links to ${target}`).toHaveLength(1);
        if (anchor === undefined) continue;
        const headings = [...readFileSync(join(root, file), "utf8").matchAll(/^#+ (.*)$/gm)].map(
          ([, heading = ""]) =>
            heading
              .toLowerCase()
              .replaceAll(/[^\w\s-]/g, "")
              .trim()
              .replaceAll(/\s+/g, "-"),
        );
        expect(headings, `${page} links to ${target}`).toContain(anchor);
      }
    },
  );
});
