import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { Result } from "./measure.ts";

/** Figures that were taken on one machine: what docs/PERFORMANCE.md is made from. */
export interface Figures {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly results: readonly Figure[];
}

/** A result, with what it has to reach and whether it did. */
export interface Figure extends Result {
  /** Such as `at most 0.12`; empty where it is shown for scale. */
  readonly bound: string;
  readonly good: boolean;
  /** The difference to the baseline, in the unit of the case. */
  readonly more: number | null;
}

export const FIGURES: string = join(import.meta.dirname, "../results/figures.json");

export function readFigures(): Figures {
  return JSON.parse(readFileSync(FIGURES, "utf8")) as Figures;
}

/** Puts new figures in place of the old ones of the same cases. Figures of another machine or engine are thrown away. */
export function saveFigures(results: readonly Figure[]): void {
  const here = {
    cpu: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: cpus().length,
    node: process.versions.node,
  };
  let old: Figures | undefined;
  try {
    old = readFigures();
  } catch {
    // There are none yet.
  }
  const same = old?.cpu === here.cpu && old.cores === here.cores && old.node === here.node;
  const byName = new Map((same ? old?.results : [])?.map((one) => [one.name, one]));
  for (const one of results) byName.set(one.name, one);
  const sorted = [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rounded = sorted.map((one) =>
    Object.fromEntries(
      Object.entries(one).map(([key, value]) => [
        key,
        typeof value === "number" ? Number(value.toPrecision(4)) : value,
      ]),
    ),
  );
  writeFileSync(FIGURES, `${JSON.stringify({ ...here, results: rounded }, undefined, 2)}\n`);
}
