import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const read = (path: string): string => readFileSync(`${root}${path}`, "utf8");

/** A table of options: the package whose README it is in, the first cell of its head, and the interfaces that it is of. */
type Table = readonly [folder: string, head: string, ...interfaces: string[]];

const backends = globSync("packages/backends/*", { cwd: root }).map((folder): Table => {
  const name = basename(folder);
  return [folder, "option", `${name.charAt(0).toUpperCase()}${name.slice(1)}Options`];
});
const TABLES: readonly Table[] = [
  ["packages/codec", "option", "CodecOptions"],
  ["packages/dispatch", "`defineBackend`", "BackendInit"],
  ["packages/dispatch", "`createRegistry` option", "RegistryOptions"],
  ["packages/host", "`createHost` option", "HostOptions"],
  ["packages/host", "guest option", "GuestConfig"],
  ["packages/backends/file", "mount", "DiskMount", "MemoryMount", "StreamMount"],
  ...backends,
];

/** The members of an interface of a package, each with its comment; also those of an interface that it extends. */
function membersOf(folder: string, name: string): [name: string, comment: string][] {
  const source = globSync(`${folder}/src/*.ts`, { cwd: root }).map(read).join("\n");
  const pattern = `^export interface ${name}\\b(?: extends (\\w+))?[^{]*\\{\n(.*?)^\\}`;
  const [, base, body = ""] = new RegExp(pattern, "ms").exec(source) ?? [];
  const members = body.matchAll(/((?:^ {2}(?:\/\*\*| \*).*\n)*)^ {2}readonly (\[?[\w.]+\]?)\??:/gm);
  return [
    ...(base === undefined ? [] : membersOf(folder, base)),
    ...[...members].map(([, comment = "", member = ""]): [string, string] => [member, comment]),
  ];
}

/** The rows of a table: each name that stands as code in the first cell, with the second cell. */
function rowsOf(folder: string, head: string): [name: string, value: string][] {
  const [, table = ""] = read(`${folder}/README.md`).split(`\n| ${head} | default | |\n`);
  return [...(table.split("\n\n")[0] ?? "").matchAll(/^\| (`.*?) \| (.*?) ?\|/gm)].flatMap(
    ([, names = "", value = ""]) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]): [string, string] => [name, value]),
  );
}

/** The first number behind some words, such as `5,000` or `64 MiB`. */
function numberAfter(words: string, text: string): string | undefined {
  return new RegExp(`${words}(\\d[\\d,]*(?: [KMG]iB)?)`).exec(text)?.[1];
}

describe.each(TABLES)(
  "in the README of %s, the table of each %s",
  (folder, head, ...interfaces) => {
    const rows = rowsOf(folder, head);
    const members = new Map(interfaces.flatMap((name) => membersOf(folder, name)));

    test("has all that there are, and no other", () => {
      expect(members.size).toBeGreaterThan(0);
      expect(new Set(rows.map(([name]) => name))).toEqual(new Set(members.keys()));
    });

    test("has the numbers of the comments", () => {
      for (const [name, value] of rows)
        expect(numberAfter("", value), name).toBe(
          numberAfter("Default:? ", members.get(name) ?? ""),
        );
    });
  },
);

test("the table of the command's configuration has what a host is told", () => {
  const guest = membersOf("packages/host", "GuestConfig").map(([name]) => `guests[].${name}`);
  const host = membersOf("packages/host", "HostOptions").map(([name]) => name);
  const known = [...guest, ...host].filter((name) => !/^on[A-Z]/.test(name));
  const rows = rowsOf("packages/cli", "key").map(([name]) => name);
  expect(new Set(rows)).toEqual(new Set(known));
});

const UNITS: Readonly<Record<string, number>> = { "": 1, KiB: 2 ** 10, MiB: 2 ** 20 };

test.each([
  ...globSync("packages/*/src/limits.ts", { cwd: root }),
  ...globSync("packages/backends/*/src/*-limits.ts", { cwd: root }),
])("the comments of %s have the numbers that hold", async (path) => {
  const [, name = ""] = /^export interface (\w+Limits) \{$/m.exec(read(path)) ?? [];
  // Those of Redis are part of its contract, and have no interface.
  if (name === "") return;
  const exported = (await import(`${root}${path}`)) as Record<string, Record<string, number>>;
  const defaults = exported[Object.keys(exported).find((key) => key.startsWith("DEFAULT_")) ?? ""];
  for (const [member, comment] of membersOf(path.split("/src/")[0] ?? "", name)) {
    const text = comment.replaceAll(/\s+\*\s+/g, " ");
    const [number = "", unit = ""] = numberAfter("Default ", text)?.split(" ") ?? [];
    const said = Number(number.replaceAll(",", "")) * (UNITS[unit] ?? Number.NaN);
    expect(said, member).toBe(defaults?.[member]);
  }
});
