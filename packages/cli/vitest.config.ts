import { defineConfig } from "vitest/config";

// Many tests start the command as a process of its own, which takes seconds on a busy machine.
export default defineConfig({ test: { testTimeout: 60_000 } });
