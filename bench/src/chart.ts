/**
 * Makes docs/PERFORMANCE.md and its pictures what bench/results/figures.json says.
 *
 *   node bench/src/chart.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./bench-files.ts";
import { readFigures } from "./figures.ts";
import { pageOf } from "./page.ts";

const docs = join(ROOT, "docs");
const page = readFileSync(join(docs, "PERFORMANCE.md"), "utf8");
for (const [name, content] of Object.entries(pageOf(readFigures(), page)))
  writeFileSync(join(docs, name), content);
