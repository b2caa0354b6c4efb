/** Puts a manifest behind a module, as its custom section `dropthrough.v1`: whatever bytes are given. */
export function withManifest(
  module: Uint8Array<ArrayBuffer>,
  manifest: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode("dropthrough.v1");
  const size = 1 + name.length + manifest.length;
  const leb = [0, 7, 14, 21].map((bits) => ((size >> bits) & 127) | (bits < 21 ? 128 : 0));
  const bytes = new Uint8Array(module.length + 5 + size);
  bytes.set(module);
  bytes.set([0, ...leb, name.length], module.length);
  bytes.set(name, module.length + 6);
  bytes.set(manifest, module.length + 6 + name.length);
  return bytes;
}
