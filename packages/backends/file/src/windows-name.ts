/** Devices, whatever extension follows. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;

/**
 * Whether a name means something else than a file of that name to Windows: `..\\x` and `C:x` are paths, `f::$DATA` is a stream of f,
 * `CON` is a device, and `f.` is f.
 */
export function windowsRefuses(name: string): boolean {
  if (name === "." || name === "..") return false;
  // oxlint-disable-next-line no-control-regex -- these are what Windows refuses
  return /[\u0000-\u001f<>:"\\|?*]|[. ]$/.test(name) || DEVICE.test(name.trimEnd());
}
