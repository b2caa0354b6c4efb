import { isUtf8 } from "node:buffer";
import type { Entry } from "./gen/dropthrough/file/v1/file_pb.ts";
import { typeOf } from "./info.ts";
import type { Named } from "./names-of.ts";

/** Entries beyond those of the page are let go so many at a time. */
const SPARE = 1024;

/** What List answers. */
export interface Listed {
  readonly entries: Pick<Entry, "name" | "type">[];
  readonly cursor: Uint8Array;
  readonly unnamable: number;
}

/**
 * A page of a directory: the first entries behind a cursor, in the order of the bytes of their names. It keeps only what can be on it, however
 * many there are.
 */
export class Page {
  readonly #cursor: Uint8Array;
  readonly #limit: number;
  #entries: Named[] = [];
  #unnamable = 0;

  constructor(cursor: Uint8Array, limit: number) {
    this.#cursor = cursor;
    this.#limit = limit;
  }

  add(entry: Named): void {
    if (!isUtf8(entry.name)) this.#unnamable++;
    else if (this.#cursor.length === 0 || Buffer.compare(entry.name, this.#cursor) > 0) {
      this.#entries.push(entry);
      if (this.#entries.length > this.#limit + SPARE) this.#cut();
    }
  }

  /** One more than the page has: then it is known that there is another. */
  #cut(): void {
    this.#entries = this.#entries
      .toSorted((a, b) => Buffer.compare(a.name, b.name))
      .slice(0, this.#limit + 1);
  }

  get answer(): Listed {
    this.#cut();
    const isLast = this.#entries.length <= this.#limit;
    const page = this.#entries.slice(0, this.#limit);
    const last = isLast ? undefined : page.at(-1);
    return {
      entries: page.map((entry) => ({ name: entry.name.toString(), type: typeOf(entry) })),
      cursor: new Uint8Array(last?.name ?? []),
      unnamable: isLast ? this.#unnamable : 0,
    };
  }
}
