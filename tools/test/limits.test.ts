import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "@dropthrough/host";

test("docs/LIMITS.md lists every limit with its default, and no other", () => {
  const page = readFileSync(new URL("../../docs/LIMITS.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)].map(
    ([, name = "", value = ""]) => [name, Number(value.replaceAll(",", ""))],
  );
  expect(Object.fromEntries(rows)).toEqual(DEFAULT_LIMITS);
});
