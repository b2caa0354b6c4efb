import loadWabt from "wabt";

const wabt = await loadWabt();

/** Assembles WebAssembly text. */
export function wat(source: string, name = "test.wat"): Uint8Array<ArrayBuffer> {
  const module = wabt.parseWat(name, source, { exceptions: true });
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}
