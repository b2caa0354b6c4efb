/**
 * Copies the contract of the package in the current folder into it, before it is packed: whoever installs the package
 * generates clients and guests from that.
 */
import { cpSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

const contract = join("dropthrough", basename(process.cwd()));
rmSync("proto", { recursive: true, force: true });
cpSync(join(import.meta.dirname, "../proto", contract), join("proto", contract), {
  recursive: true,
});
