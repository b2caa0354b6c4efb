/** A member and its score. `gone` once it was removed. */
interface Place {
  readonly member: string;
  score: number;
  gone: boolean;
}

/**
 * Members in the order (score, bytes of the member). Changes are cheap: the order is made again when it is next asked
 * for, and sorting what is nearly sorted takes little more than a walk.
 */
export class SortedSet {
  readonly #places = new Map<string, Place>();
  #order: Place[] = [];
  #sorted = true;

  get size(): number {
    return this.#places.size;
  }

  score(member: string): number | undefined {
    return this.#places.get(member)?.score;
  }

  set(member: string, score: number): void {
    const place = this.#places.get(member);
    if (place === undefined) {
      const added = { member, score, gone: false };
      this.#places.set(member, added);
      this.#order.push(added);
    } else if (place.score === score) {
      return;
    } else {
      place.score = score;
    }
    this.#sorted = false;
  }

  /** True if it was there. */
  delete(member: string): boolean {
    const place = this.#places.get(member);
    if (place === undefined) return false;
    this.#places.delete(member);
    place.gone = true;
    this.#sorted = false;
    return true;
  }

  /** All members in order. Valid until the next change. */
  ordered(): readonly Readonly<Place>[] {
    if (!this.#sorted) {
      this.#order = this.#order.filter((place) => !place.gone).toSorted(compare);
      this.#sorted = true;
    }
    return this.#order;
  }
}

function compare(a: Place, b: Place): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return a.member < b.member ? -1 : 1;
}
