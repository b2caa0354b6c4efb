import { globSync, readFileSync } from "node:fs";
import { codeName } from "@dropthrough/abi";
import { expect, test } from "vitest";
import { errorsPage, errorsPageOnDisk } from "../errors-page.ts";

const root = new URL("../..", import.meta.url).pathname;

const CODES = Array.from({ length: 16 }, (_, i) => codeName(i + 1));

/** What a page says: rpc, code, and when. */
function rowsOf(page: string): RegExpExecArray[] {
  const rows = [...page.matchAll(/^\| (\w+) \| (\w*) \| (.+) \|$/gm)];
  return rows.filter(([, rpc]) => rpc !== "rpc");
}

test("docs/ERRORS.md says what the contracts say; if not, run `pnpm generate`", () => {
  expect(errorsPageOnDisk()).toBe(errorsPage());
});

test("every rpc has a row, and every code is one of the canonical ones", () => {
  const rows = rowsOf(errorsPage());
  const rpcs = globSync("proto/**/*.proto", { cwd: root })
    .filter((file) => !file.includes("/testing/"))
    .flatMap((file) => [...readFileSync(`${root}${file}`, "utf8").matchAll(/^ *rpc (\w+)\(/gm)])
    .map(([, name]) => name);
  expect(new Set(rows.map(([, rpc]) => rpc))).toEqual(new Set(rpcs));
  const codes = new Set(rows.map(([, , code]) => code).filter((code) => code !== ""));
  for (const code of codes) expect(CODES).toContain(code);
  expect(codes.size).toBeGreaterThan(7);
});

test("every code has a clause of its own: one inside of another's would need no test", () => {
  const hidden = rowsOf(errorsPage()).filter(([, , , when = ""]) =>
    (when.match(/[A-Z][A-Z_]{3,}/g) ?? []).some((word) => CODES.includes(word)),
  );
  expect(hidden.map(([row]) => row)).toEqual([]);
});
