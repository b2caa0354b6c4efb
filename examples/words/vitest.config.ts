import { defineConfig } from "vitest/config";

// Most tests wait for programs that they start, and these for servers and deadlines: they do so beside each other.
export default defineConfig({
  test: {
    globalSetup: "test/build-guests.ts",
    sequence: { concurrent: true },
  },
});
