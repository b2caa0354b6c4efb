import { globSync } from "node:fs";
import { dirname } from "node:path";
import { defineConfig } from "vitest/config";

/** Every folder with a package.json is a project of its own; nothing lists them. */
const folders = globSync("{packages/*,packages/*/*,examples/*,bench,tools}/package.json");

export default defineConfig({
  test: {
    // Left out, one core stays idle: of two, that is half.
    maxWorkers: "100%",
    projects: folders.map((file) => dirname(file)).toSorted(),
  },
});
