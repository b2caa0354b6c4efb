import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { codesOf, KINDS, ROWS } from "./escape-rows.ts";
import { CALLS, Jail, NAME_CALLS, outcome } from "./jail.ts";

/** Calls that follow a link as far as those do that open. */
const follows = /^(Stat|List|Watch)/;

let jail: Jail;
beforeEach(() => void (jail = new Jail()));
afterEach(() => jail[Symbol.asyncDispose]());

describe.each(KINDS)("on a %s mount", (kind) => {
  const rows = ROWS.filter((row) => codesOf(row, kind) !== undefined);
  test.each(rows)("$item", async (row) => {
    const { plant, paths, isSpecial } = row;
    const codes = codesOf(row, kind);
    for (const path of paths) {
      for (const [name, call] of [...Object.entries(CALLS), ...Object.entries(NAME_CALLS)]) {
        jail.fill();
        plant?.(jail.base);
        await jail.mount(kind);
        const { code, text } = await outcome(call(jail.client, path));
        const where = `${name} of ${JSON.stringify(path.slice(0, 80))}: ${text.slice(0, 200)}`;
        // What makes a file may make one of a name that is not there; nothing else may succeed.
        const makes = /create|append|Copy to/.test(name) && codes?.includes(Code.NotFound) === true;
        // What is special may be told of, and never opened.
        const tells = name === "Stat" && isSpecial === true && code === 0;
        if ((name in CALLS && !makes) || (follows.test(name) && !tells))
          expect(codes, where).toContain(code);
        expect(text, where).not.toMatch(/SECRET|root:/);
        expect(text, where).not.toContain(jail.base);
        expect(readdirSync(jail.base).toSorted(), where).toEqual(["mount", "outside"]);
        expect(readdirSync(jail.outside), where).toEqual(["secret"]);
        expect(readFileSync(join(jail.outside, "secret"), "utf8"), where).toBe("SECRET");
        if (code === 0 && name === "Copy from")
          expect((await outcome(jail.client.readFile({ path: "/tmp/stolen" }))).text).not.toContain(
            "SECRET",
          );
      }
    }
  });
});

test("every row that a kind of mount has not says why", () => {
  for (const row of ROWS) {
    const everywhere = KINDS.every((kind) => codesOf(row, kind) !== undefined);
    expect(everywhere || row.without !== undefined, row.item).toBe(true);
  }
});

test("a disk elsewhere holds no directory, so that its rows are of the other way to walk", async () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  const before = open();
  await jail.mount("disk elsewhere");
  expect(open()).toBe(before);
  await jail.mount("disk");
  expect(open()).toBe(before + 1);
});
