import { Code, ConnectError } from "@connectrpc/connect";
import type { FileSystem } from "./file-system.ts";

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * A number of bytes: a number, or text such as `1 GiB`.
 *
 * @throws TypeError for anything else
 */
export function parseBytes(value: number | string): number {
  if (typeof value === "number" && value >= 0) return value;
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([KMGT]iB|B)$/.exec(String(value)) ?? [];
  const bytes = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (Number.isNaN(bytes))
    throw new TypeError(`"${value}" is no number of bytes: write 1048576, or "1 MiB"`);
  return Math.floor(bytes);
}

/**
 * How many bytes the regular files of a mount may have together. What is there is counted when something is first
 * written; what others change on the disk meanwhile is not seen.
 */
export class Quota {
  readonly #most: number;
  readonly #count: () => number;
  #used: number | undefined;

  /** @param count answers what is used already */
  constructor(most: number, count: () => number) {
    this.#most = most;
    this.#count = count;
  }

  /** Whether there is a limit at all. */
  get limited(): boolean {
    return this.#most !== Infinity;
  }

  /** @throws ConnectError RESOURCE_EXHAUSTED if so many more do not fit */
  take(bytes: number): void {
    if (!this.limited || bytes <= 0) return;
    const used = (this.#used ??= this.#count());
    if (used + bytes > this.#most) {
      throw new ConnectError(
        `the mount has a quota of ${this.#most} bytes, and ${used} are used: remove something`,
        Code.ResourceExhausted,
      );
    }
    this.#used = used + bytes;
  }

  /** So many are free again. */
  give(bytes: number): void {
    if (this.#used !== undefined) this.#used = Math.max(0, this.#used - bytes);
  }
}

/** The bytes of all regular files below a directory. */
export function bytesBelow(fs: FileSystem, path: string): number {
  const stats = fs.lstatSync(path);
  if (stats.isFile()) return stats.size;
  if (!stats.isDirectory()) return 0;
  let sum = 0;
  for (const name of fs.readdirSync(path, { encoding: "buffer" })) {
    const child = name.toString();
    // A name that is no UTF-8 cannot be named here, and its bytes are few: it is not counted.
    if (Buffer.from(child).equals(name)) sum += bytesBelow(fs, `${path}/${child}`);
  }
  return sum;
}
