import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

/** Text of a source file that is replaced by another, by the end of the file's path. */
export type Patch = Readonly<Record<string, readonly (readonly [text: string, by: string])[]>>;

const patches = new Map<string, Patch>();
let hooked = false;

/**
 * Loads a module of this repository once more, with everything of ours that it imports, and some of it changed: a build of its
 * own in the same process, of which the engine knows nothing yet.
 *
 * @throws Error if a text that is to be replaced is not there
 */
export async function loadBuild<Module>(name: string, module: URL, patch: Patch): Promise<Module> {
  patches.set(name, patch);
  hook();
  const loaded = (await import(`${module.href}?build=${name}`)) as Module;
  return loaded;
}

function hook(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const build = buildOf(context.parentURL ?? "");
      if (build === undefined || buildOf(found.url) !== undefined) return found;
      const ours = found.url.startsWith("file:") && !found.url.includes("/node_modules/");
      return ours ? { ...found, url: `${found.url}?build=${build}` } : found;
    },
    load(url, context, next) {
      const build = buildOf(url);
      const { pathname } = new URL(url);
      const changes = Object.entries(patches.get(build ?? "") ?? {}).find(([end]) =>
        pathname.endsWith(end),
      )?.[1];
      if (changes === undefined) return next(url, context);
      let source = readFileSync(pathname, "utf8");
      for (const [text, by] of changes) {
        if (!source.includes(text)) throw new Error(`${pathname} has no "${text}" to replace`);
        source = source.replaceAll(text, by);
      }
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
}

function buildOf(url: string): string | undefined {
  return /[?&]build=(\w+)/.exec(url)?.[1];
}
