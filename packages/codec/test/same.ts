/** Where two values differ, in the smallest thing that a program could notice; undefined if nowhere. */
export function difference(a: unknown, b: unknown, path = ""): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return `${path}: ${show(a)} is not ${show(b)}`;
  }
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: another prototype`;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    const same = a.length === b.length && a.every((byte, at) => byte === b[at]);
    return same ? undefined : `${path}: ${show(a)} is not ${show(b)}`;
  }
  const keys = Reflect.ownKeys(a);
  const others = Reflect.ownKeys(b);
  if (keys.map(String).join() !== others.map(String).join()) {
    return `${path}: keys ${keys.map(String).join()} are not ${others.map(String).join()}`;
  }
  for (const key of keys) {
    const one = Object.getOwnPropertyDescriptor(a, key);
    const two = Object.getOwnPropertyDescriptor(b, key);
    for (const flag of ["writable", "enumerable", "configurable"] as const) {
      if (one?.[flag] !== two?.[flag]) return `${path}.${String(key)}: another ${flag}`;
    }
    const found = difference(one?.value, two?.value, `${path}.${String(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `[${value.length} bytes: ${value.slice(0, 32).join()}]`;
  return typeof value === "bigint"
    ? `${value}n`
    : (JSON.stringify(value)?.slice(0, 200) ?? String(value));
}
