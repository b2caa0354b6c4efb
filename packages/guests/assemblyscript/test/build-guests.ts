import { fileURLToPath } from "node:url";
import { buildGuest } from "../src/index.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Builds the guests of the tests, once for all test files. */
export default async function buildGuests(): Promise<void> {
  const baseDir = here("..");
  const guest = (name: string): { entry: string; outFile: string; baseDir: string } => ({
    entry: here(`assembly/${name}.ts`),
    outFile: here(`build/${name}.wasm`),
    baseDir,
  });
  await buildGuest({
    ...guest("kitchen"),
    name: "kitchen",
    version: "1.2.3",
    exports: ["kitchen.v1.KitchenService"],
    requires: ["kitchen.v1.StoreService"],
  });
  await buildGuest(guest("pantry"));
  await buildGuest({ ...guest("commander"), command: true });
  await buildGuest({ ...guest("chatter"), command: true });
  await buildGuest({ ...guest("worker"), command: true });
  await buildGuest(guest("keeper"));
}
