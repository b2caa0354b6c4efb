import { existsSync, globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Every folder with a package.json is a project of its own; nothing lists them. */
const folders = globSync("{packages/*,packages/*/*,examples/*,bench,tools}/package.json");

/** Examples wait for programs, servers and deadlines: begun last, they would leave the other workers idle at the end. */
class ExamplesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      moduleId.includes("/examples/") ? 0 : 1;
    // oxlint-disable-next-line unicorn/no-array-sort -- it is vitest's own, and sorts no array
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

// By default one processor is left to vitest itself, which has little to do. A variable, since each project has a configuration of its own.
process.env["VITEST_MAX_WORKERS"] ??= String(availableParallelism());

/**
 * How long a test or a hook may take, in milliseconds: many start programs or load hundreds of modules for the first time,
 * which takes seconds on a busy machine. It ends what hangs, and says nothing of speed.
 */
const PATIENCE = 120_000;

/** A project with what its own vitest.config.ts says, if it has one. */
function projectOf(folder: string) {
  const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    name: string;
  };
  const own = join(folder, "vitest.config.ts");
  return {
    extends: existsSync(own) ? own : (true as const),
    test: {
      name,
      root: folder,
      testTimeout: PATIENCE,
      hookTimeout: PATIENCE,
      expect: { poll: { timeout: PATIENCE / 4 } },
    },
  };
}

export default defineConfig({
  test: {
    projects: folders
      .map((file) => dirname(file))
      .toSorted()
      .map(projectOf),
    sequence: { sequencer: ExamplesFirst },
  },
});
