import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "@dropthrough/host";

const root = new URL("../..", import.meta.url).pathname;
const [host = "", ...sections] = readFileSync(`${root}docs/LIMITS.md`, "utf8").split("\n## ");
const backends = globSync("packages/backends/*/src/*-limits.ts", { cwd: root });

/** The rows of a table of limits. */
function rowsOf(text: string): Record<string, number> {
  const rows = [...text.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)];
  return Object.fromEntries(
    rows.map(([, name = "", value = ""]) => [name, Number(value.replaceAll(",", ""))]),
  );
}

test("docs/LIMITS.md lists every limit with its default, and no other", () => {
  expect(rowsOf(host)).toEqual(DEFAULT_LIMITS);
});

test.each(backends)(
  "docs/LIMITS.md lists the limits of %s with their defaults, and no other",
  async (path) => {
    const exported = (await import(`${root}${path}`)) as Record<string, unknown>;
    const [defaults] = Object.entries(exported).flatMap(([name, value]) =>
      name.startsWith("DEFAULT_") ? [value] : [],
    );
    const title = `@dropthrough/${path.split("/")[2] ?? ""}\n`;
    const section = sections.find((text) => text.startsWith(title));
    expect(section, `a heading ## ${title}`).toBeDefined();
    expect(rowsOf(section ?? "")).toEqual(defaults);
  },
);

test("and of no backend that has none", () => {
  const titles = sections.map((text) => text.split("\n")[0]);
  expect(new Set(titles)).toEqual(
    new Set(backends.map((path) => `@dropthrough/${path.split("/")[2] ?? ""}`)),
  );
});
