import type { BackendInit } from "./backend.ts";

/**
 * Checks the shape of what would else fail at the first call, or be left out without a word: types are not there at run time, and those
 * of a class or of a copy are not checked for names that are none.
 *
 * @throws TypeError with one sentence that names what is wrong
 */
export function checkBackend(init: BackendInit): void {
  const { name, service, impl, detached = [], maxFields, maxFieldsOf = {} } = init;
  if (typeof name !== "string" || name === "")
    throw new TypeError('"name" of a backend must be a text, such as "redis"');
  const wrong = (what: string, why: string): TypeError =>
    new TypeError(`"${what}" of the backend "${name}" ${why}`);

  if ((service as Partial<typeof service> | undefined)?.kind !== "service")
    throw wrong("service", "must be a generated descriptor, such as FileService");
  if (typeof impl !== "object" || (impl as unknown) === null)
    throw wrong("impl", "must be an object with a function for each rpc");
  const methods = service.methods.map(({ localName }) => localName);
  for (const method of methods)
    if (!isFunctionOrNone(impl[method])) throw wrong(`impl.${method}`, "must be a function");

  const known = `${service.typeName} has ${methods.join(", ")}`;
  for (const method of detached)
    if (!methods.includes(method)) throw wrong("detached", `names "${method}", and ${known}`);
  for (const [method, most] of Object.entries(maxFieldsOf)) {
    if (!methods.includes(method)) throw wrong("maxFieldsOf", `names "${method}", and ${known}`);
    if (!isCountOrNone(most)) throw wrong(`maxFieldsOf.${method}`, NO_COUNT);
  }
  if (!isCountOrNone(maxFields)) throw wrong("maxFields", NO_COUNT);

  for (const key of ["health", "attach", "refused"] as const)
    if (!isFunctionOrNone(init[key])) throw wrong(key, "must be a function");
  if (!isFunctionOrNone(init[Symbol.asyncDispose]))
    throw wrong("Symbol.asyncDispose", "must be a function");
}

/** The names of all functions of an implementation, be it an object or of a class. */
export function namesOf(impl: object): string[] {
  const names = new Set<string>();
  for (
    let one: object | null = impl;
    one !== null && one !== Object.prototype;
    one = Object.getPrototypeOf(one) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(one)) names.add(name);
  }
  names.delete("constructor");
  return [...names];
}

const NO_COUNT = "must be a whole number, 0 or more";

function isFunctionOrNone(value: unknown): boolean {
  return value === undefined || typeof value === "function";
}

function isCountOrNone(value: unknown): boolean {
  return value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0);
}
