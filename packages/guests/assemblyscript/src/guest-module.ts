/** The name of the custom section that holds a guest's Manifest; see docs/ABI.md. */
export const MANIFEST_SECTION = "dropthrough.v1";

/** A module compiled well and still is no guest. */
export class ModuleError extends Error {
  override name = "ModuleError";
}

/** Where AssemblyScript's standard library reaches for the host, by what it imports. */
const REACHES: Readonly<Record<string, string>> = {
  "env.seed": "Math.random() needs a seed; take random numbers from a service",
  "env.Date.now": "Date.now() needs a clock; take the time from a service",
  "env.trace":
    "trace() needs a console: import log, or console, from @dropthrough/assemblyscript/assembly",
};

/**
 * Checks that a module imports nothing but the ABI.
 *
 * Throws ModuleError, naming each import that no host gives and what to do instead.
 */
export async function checkImports(wasm: Uint8Array<ArrayBuffer>): Promise<void> {
  const module = await WebAssembly.compile(wasm);
  const foreign = WebAssembly.Module.imports(module)
    .filter((entry) => entry.module !== "dropthrough_v1")
    .map((entry) => `${entry.module}.${entry.name}`);
  if (foreign.length === 0) return;
  const lines = foreign.map((name) => {
    const reach = Object.entries(REACHES).find(([known]) => name.startsWith(known))?.[1];
    return `  ${name}: ${reach ?? "a guest may import only dropthrough_v1"}`;
  });
  throw new ModuleError(`the guest imports what no host gives:\n${lines.join("\n")}`);
}

/**
 * A module with a custom section at its end.
 *
 * ```
 * ... module ... │ 00 │ size │ 0e │ "dropthrough.v1" │ content
 * ```
 */
export function withSection(
  wasm: Uint8Array,
  name: string,
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const label = new TextEncoder().encode(name);
  const body = [...unsigned(label.length), ...label];
  const head = [0, ...unsigned(body.length + content.length), ...body];
  const out = new Uint8Array(wasm.length + head.length + content.length);
  out.set(wasm, 0);
  out.set(head, wasm.length);
  out.set(content, wasm.length + head.length);
  return out;
}

/** A number as unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
