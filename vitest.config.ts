import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { defineConfig } from "vitest/config";

/** Every folder with a package.json is a project of its own; nothing lists them. */
const folders = globSync("{packages/*,packages/*/*,examples/*,bench,tools}/package.json");

export default defineConfig({
  test: {
    projects: folders.map((file) => dirname(file)).toSorted(),
    // By default one processor is left to vitest itself, which has little to do.
    maxWorkers: availableParallelism(),
  },
});
