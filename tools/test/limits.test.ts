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

/** The default limits that a module has. */
async function defaultsOf(path: string): Promise<object> {
  const exported = (await import(`${root}${path}`)) as Record<string, object>;
  return Object.entries(exported).find(([name]) => name.startsWith("DEFAULT_"))?.[1] ?? {};
}

test("docs/LIMITS.md lists every limit with its default, and no other", () => {
  expect(rowsOf(host)).toEqual(DEFAULT_LIMITS);
});

test.each(backends)(
  "docs/LIMITS.md lists the limits of %s with their defaults, and no other",
  async (path) => {
    const defaults = await defaultsOf(path);
    const title = `@dropthrough/${path.split("/")[2] ?? ""}\n`;
    const section = sections.find((text) => text.startsWith(title));
    expect(section, `a heading ## ${title}`).toBeDefined();
    expect(rowsOf(section ?? "")).toEqual(defaults);
  },
);

test.each(backends)(
  "a limit of %s that is no number is refused: it would be no bound",
  async (path) => {
    const [, , name = ""] = path.split("/");
    const index = `packages/backends/${name}/src/index.ts`;
    const { [name]: factory } = (await import(`${root}${index}`)) as Record<string, Factory>;
    const source = readFileSync(`${root}${index}`, "utf8");
    const [limit = ""] = Object.keys(await defaultsOf(path));
    const wrong = /^ {2}readonly limits\?:/m.test(source)
      ? { limits: { [limit]: Number.NaN } }
      : { maxInFlight: Number.NaN };
    const needed = /^ {2}readonly mounts:/m.test(source) ? { mounts: {} } : {};
    expect(() => factory?.({ ...needed, ...wrong })).toThrow(TypeError);
    expect(() => factory?.({ ...needed, ...wrong })).toThrow("must be a number, 0 or more");
  },
);

type Factory = (options: object) => unknown;

test("and of no backend that has none", () => {
  const titles = sections.map((text) => text.split("\n")[0]);
  expect(new Set(titles)).toEqual(
    new Set(backends.map((path) => `@dropthrough/${path.split("/")[2] ?? ""}`)),
  );
});
