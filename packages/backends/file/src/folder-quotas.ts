import { statSync } from "node:fs";
import { dirname } from "node:path";
import { Quota, type Room } from "./quota.ts";
import { roomBelow } from "./room-below.ts";

/** A folder or file of the host that is mounted. */
interface Mounted {
  /** Without links. */
  readonly path: string;
  /** Where it can always be found, whatever is renamed above it. */
  readonly held: string;
  /** Whether that is by a descriptor. */
  readonly pinned: boolean;
  readonly most: Room;
}

const ENDLESS: Room = { bytes: Infinity, entries: Infinity };
const EMPTY: Room = { bytes: 0, entries: 0 };

/** What tells files apart. */
type Identity = { readonly dev: number | bigint; readonly ino: number | bigint };

/**
 * The quotas of what is mounted of the host. Mounts of one folder share one, the smallest that any of them has; what is in a folder inside of
 * another counts in both.
 *
 * ```text
 *  /all  ──▶ data        1 GiB    ◀─┐ counts in
 *  /sub  ──▶ data/sub  100 MiB    ──┘   ◀── /all/sub/f too
 * ```
 */
export class FolderQuotas {
  readonly #quotas = new Map<string, Quota>();

  constructor(mounted: readonly Mounted[]) {
    const folders = new Map<string, Mounted>();
    for (const { most, ...mount } of mounted) {
      if (most.bytes === Infinity && most.entries === Infinity) continue;
      const key = keyOf(statSync(mount.path));
      const other = folders.get(key)?.most ?? most;
      const bytes = Math.min(most.bytes, other.bytes);
      folders.set(key, {
        ...mount,
        most: { bytes, entries: Math.min(most.entries, other.entries) },
      });
    }
    // The outer ones come first: a path is longer than what it is in.
    const sorted = [...folders].toSorted(([, a], [, b]) => a.path.length - b.path.length);
    for (const [key, { path, held, pinned, most }] of sorted) {
      const outer = this.#around(dirname(path));
      this.#quotas.set(key, new Quota(most, roomBelow(held, pinned), { outer }));
    }
  }

  /** The quota of a folder or file of the host, which is that of the folder around it if it has none of its own. */
  of(path: string): Quota {
    return this.#around(path) ?? new Quota(ENDLESS, EMPTY);
  }

  /** The quota that begins with a folder or file. */
  at(stats: Identity): Quota | undefined {
    return this.#quotas.size === 0 ? undefined : this.#quotas.get(keyOf(stats));
  }

  #around(path: string): Quota | undefined {
    const found = this.at(statSync(path));
    const above = dirname(path);
    return found ?? (above === path ? undefined : this.#around(above));
  }
}

function keyOf({ dev, ino }: Identity): string {
  return `${dev}:${ino}`;
}
