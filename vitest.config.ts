import { defineConfig } from "vitest/config";

/** Every folder with a package.json and tests is a project of its own; nothing lists them. */
export default defineConfig({
  test: {
    projects: ["packages/*", "packages/backends/*", "packages/guests/*", "examples/*", "tools"],
  },
});
