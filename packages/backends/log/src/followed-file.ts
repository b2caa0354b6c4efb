import { closeSync, fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { DescriptorOutlet } from "./descriptor-outlet.ts";
import type { Outlet } from "./outlet.ts";

/** Milliseconds between two looks at the path. */
const LOOK_MS = 1_000;

/**
 * Lines into the file that is at a path, whatever becomes of it: one that was renamed or removed is left within a second for the one that is
 * there now, or for a new one. While there can be none, lines go on into the old one, and that is trouble.
 */
export class FollowedFile implements Outlet {
  readonly #path: string;
  readonly #open: () => number;
  readonly #outlet: DescriptorOutlet;
  #id: string;
  #trouble: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param open opens what is at the path now, and makes a file if there is nothing */
  constructor(path: string, fd: number, open: () => number, outlet: DescriptorOutlet) {
    this.#path = path;
    this.#open = open;
    this.#outlet = outlet;
    this.#id = idOf(fstatSync(fd, { bigint: true }));
    this.#timer = setTimeout(() => void this.#look(), LOOK_MS).unref();
  }

  get terminal(): boolean {
    return this.#outlet.terminal;
  }

  get waiting(): number {
    return this.#outlet.waiting;
  }

  get trouble(): string | undefined {
    return this.#outlet.trouble ?? this.#trouble;
  }

  write(line: string): boolean {
    return this.#outlet.write(line);
  }

  async #look(): Promise<void> {
    const there = await stat(this.#path, { bigint: true }).then(idOf, () => undefined);
    if (this.#timer === undefined) return;
    if (there === this.#id) this.#trouble = undefined;
    else this.#goOn();
    this.#timer.refresh();
  }

  #goOn(): void {
    let fd: number | undefined;
    try {
      fd = this.#open();
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) throw new TypeError(`${this.#path} is no file`);
      this.#id = idOf(stats);
      this.#trouble = undefined;
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      this.#trouble = `lines go to a file that was moved or removed: ${(error as Error).message}`;
      return;
    }
    this.#outlet.goOnIn(fd);
  }

  async close(timeoutMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#outlet.close(timeoutMs);
  }
}

function idOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev} ${ino}`;
}
