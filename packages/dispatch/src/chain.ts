/** A member of a chain has its neighbours with it. It is in one chain at most. */
export interface Link<T> {
  next: T | undefined;
  previous: T | undefined;
}

/** A list that a member leaves without being looked for. */
export class Chain<T extends Link<T>> {
  first: T | undefined = undefined;

  /** Takes a member in, before all others. */
  add(member: T): void {
    const { first } = this;
    member.next = first;
    if (first !== undefined) first.previous = member;
    this.first = member;
  }

  /** Takes a member out, unless it has left. */
  remove(member: T): void {
    const { previous, next } = member;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else if (this.first === member) this.first = next;
    member.previous = member.next = undefined;
  }
}
