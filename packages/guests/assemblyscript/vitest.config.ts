import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "@dropthrough/assemblyscript",
    globalSetup: "test/build-guests.ts",
    testTimeout: 30_000,
  },
});
