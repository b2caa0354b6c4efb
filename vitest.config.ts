import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
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

export default defineConfig({
  test: {
    projects: folders.map((file) => dirname(file)).toSorted(),
    sequence: { sequencer: ExamplesFirst },
  },
});
