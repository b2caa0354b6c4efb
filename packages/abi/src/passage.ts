import type { GuestMemory } from "./guest-memory.ts";

/** Whose body stands in a passage. */
interface PassageHolder {
  body: Uint8Array | Passage;
}

/**
 * A call of one guest to another while the caller is inside of its import: what the callee reads comes straight out of the
 * caller's memory, and what it replies goes straight into it.
 *
 * ```text
 *  caller   ── at: request, length ──┤        ├── to: response, at most room ──
 *                 │ read                              ▲ reply
 *  callee         └──────▶ its own memory ────────────┘
 * ```
 *
 * It is open until `call` returns: then the caller runs again and its memory is its own, so the call that still has to read
 * the request gets a copy.
 */
export class Passage {
  readonly memory: GuestMemory;
  readonly at: number;
  readonly length: number;
  readonly to: number;
  readonly room: number;
  /** The incoming call of the callee, until it is replied to. */
  holder: PassageHolder | undefined;

  // One for each call: what is new is cheaper to write to than what has been there for long.
  constructor(memory: GuestMemory, at: number, length: number, to: number, room: number) {
    this.memory = memory;
    this.at = at;
    this.length = length;
    this.to = to;
    this.room = room;
    this.holder = undefined;
  }

  /** The request in bytes of its own. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.memory.copy(this.at, this.length);
  }

  /** `call` returns. */
  close(): void {
    const { holder } = this;
    this.holder = undefined;
    if (holder !== undefined) holder.body = this.copy();
  }
}
