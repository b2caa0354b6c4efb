/**
 * `pnpm conformance`: protobuf's own conformance tests on everything here that decodes and encodes: each package with a script
 * `conformance` runs them. Says so where they cannot run.
 */
import { spawnSync } from "node:child_process";
import { findLibc } from "./conformance-libc.ts";

const root = new URL("..", import.meta.url).pathname;
try {
  const libc = findLibc(root);
  const { status } = spawnSync(
    "pnpm",
    ["--recursive", "--workspace-concurrency=1", "--reporter=append-only", "run", "conformance"],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...(libc !== undefined && { CONFORMANCE_LIBC: libc }) },
    },
  );
  process.exitCode = status ?? 1;
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  console.log(`\n*** CONFORMANCE TESTS NOT RUN: ${why} ***\n`);
}
