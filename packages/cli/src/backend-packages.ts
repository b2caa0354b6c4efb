import { type Backend, createRegistry } from "@dropthrough/dispatch";
import { resolveModuleURL } from "exsolve";
import { ConfigError } from "./config-error.ts";

/**
 * Imports the backends that a configuration names by package, `{ "@dropthrough/log": { "level": "info" } }`: the factory is the
 * export named as the package without its scope (`my-store` as `myStore`), or else the default export. A name may also
 * be the path of a module, beginning with a dot.
 *
 * @param options the options of each factory; `null` or `true` for none
 * @param folder where the packages are looked up from: the folder of the configuration
 * @throws ConfigError if a package is not there, cannot be imported, exports no factory, or refuses its options
 */
export async function importBackends(
  options: Readonly<Record<string, unknown>>,
  folder: string,
): Promise<Backend[]> {
  return Promise.all(
    Object.entries(options).map(async ([name, given]) => {
      const factory = await importFactory(name, folder);
      try {
        return checkBackend(factory(given === null || given === true ? undefined : given));
      } catch (cause) {
        throw new ConfigError(`the backend ${name}: ${firstLine(cause)}`, { cause });
      }
    }),
  );
}

async function importFactory(name: string, folder: string): Promise<(options: unknown) => unknown> {
  const url = resolveModuleURL(name, { from: `${folder}/`, try: true });
  if (url === undefined) {
    throw new ConfigError(
      name.startsWith(".")
        ? `the backend ${name} is not there: correct its path, which is relative to the configuration`
        : `the backend ${name} is not installed: install it beside the configuration (npm install ${name})`,
    );
  }
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new ConfigError(`the backend ${name} cannot be imported: ${firstLine(cause)}`, { cause });
  }
  const factory = module[factoryName(name)] ?? module["default"];
  if (typeof factory !== "function") {
    throw new ConfigError(
      `the backend ${name} exports neither a function ${factoryName(name)} nor a default one: it is no backend package`,
    );
  }
  return factory as (options: unknown) => unknown;
}

function factoryName(name: string): string {
  return name
    .slice(name.lastIndexOf("/") + 1)
    .replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Checks that a value is a backend that this host can use.
 *
 * @throws TypeError with one sentence if it is not
 */
export function checkBackend(value: unknown): Backend {
  if (typeof value === "function")
    throw new TypeError(`it is a function: call it, such as ${value.name || "kernel"}()`);
  if (typeof value === "string")
    throw new TypeError(`it is a text: import the package, and call what it exports`);
  // A registry of its own: only what is wrong with the value itself can come up.
  createRegistry().use(value as Backend);
  return value as Backend;
}

/** What an error says, without the code frame or the stack that some put behind it. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0] ?? "";
}
