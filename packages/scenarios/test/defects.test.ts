import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { scenarios } from "../src/scenarios/index.ts";

const page = new URL("../README.md", import.meta.url);
const rows = readFileSync(page, "utf8")
  .split("\n## The defects")[1]
  ?.split("\n")
  .filter((line) => /^\| (?!there )[^-]/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

describe("every defect of the ancestor has a test that names it", () => {
  test("in a table", () => {
    expect(rows?.length).toBeGreaterThan(20);
  });

  test.each(rows ?? [])("%s%s", (_, defect = "", here, proof = "") => {
    expect(here, defect).not.toBe("");
    const links = [...proof.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)];
    const named = [...proof.replaceAll(/\[[^\]]+\]\([^)]+\)/g, "").matchAll(/`([\w-]+)`/g)];
    expect(links.length + named.length).toBeGreaterThan(0);
    for (const [, name] of named) expect(scenarios.map((s) => s.name)).toContain(name);
    for (const [, name = "", path = ""] of links)
      expect(readFileSync(new URL(path, page), "utf8"), path).toContain(`"${name}"`);
  });
});
