/**
 * Whether enough of the stack is left for the host's own code. A guest that has no stack of its own runs on the host's, and
 * can use up all but the last bytes of it before it calls: then host code would end anywhere, halfway through a call.
 *
 * JavaScript cannot ask how much is left. But the engine, before it enters a WebAssembly function, looks whether there is
 * room for the whole of its frame, in one comparison. So this is a module of one function with a large frame: it holds
 * 4,096 vectors over a call that is never made.
 *
 * ```wat
 *  (func $room (export "r") (param $more i32) (local $sum v128)
 *    (if (i32.lt_s (local.get $more) (i32.const 0))       ;; never
 *      (then (v128.load (i32.const 0)) (v128.load offset=8 (i32.const 0)) ...
 *        (call $never) (v128.xor) (v128.xor) ... (local.set $sum) (v128.store (i32.const 0) (local.get $sum))))
 *    (if (local.get $more)
 *      (then (call $room (i32.sub (local.get $more) (i32.const 1))))))
 * ```
 */
function bytes(): Uint8Array<ArrayBuffer> {
  const vectors = ROOM / 16;
  const never = new Uint8Array(10 * vectors);
  for (let i = 0; i < vectors; i++) {
    const load = 8 * i;
    never[load] = 0x41;
    never[load + 2] = 0xfd;
    // Each from a place of its own: what is equal would be held once.
    never[load + 5] = load | 128;
    never[load + 6] = (load >> 7) | 128;
    never[load + 7] = load >> 14;
    const sum = 8 * vectors + 2 * i;
    never[sum] = i === 0 ? 0x10 : 0xfd;
    never[sum + 1] = i === 0 ? 0 : 0x51;
  }
  const before = [1, 1, 0x7b, 0x20, 0, 0x41, 0, 0x48, 0x04, 0x40];
  const store = [0x21, 1, 0x41, 0, 0x20, 1, 0xfd, 11, 0, 0, 0x0b];
  const more = [0x20, 0, 0x04, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x10, 1, 0x0b, 0x0b];
  const size = before.length + never.length + store.length + more.length;
  const section = (id: number, ...content: number[]): number[] => [id, content.length, ...content];
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const head = [
    ...magicAndVersion,
    ...section(1, 2, 0x60, 1, 0x7f, 0, 0x60, 0, 0), // the types (i32) -> () and () -> ()
    ...section(2, 1, 1, 0x68, 1, 0x6e, 0, 1), // h.n, a function that the engine does not know
    ...section(3, 1, 0),
    ...section(5, 1, 0, 1), // a memory
    ...section(7, 1, 1, 0x72, 0, 1), // r
    10,
    ...long(size + 4),
    1,
    ...long(size),
    ...before,
  ];
  const module = new Uint8Array(head.length - before.length + size);
  module.set(head);
  module.set(never, head.length);
  module.set([...store, ...more], head.length + never.length);
  return module;
}

/** A number of up to 21 bits in three bytes. */
function long(value: number): readonly number[] {
  return [(value & 127) | 128, ((value >> 7) & 127) | 128, value >> 14];
}

/** What one frame takes, in bytes: a call through the host's own code takes a tenth of it. */
const ROOM = 65_536;
/** For a guest that is called on the host's stack, in frames. */
const GUEST_FRAMES = 4;

let room: ((more: number) => void) | undefined;

/** A guest is about to run on the host's stack: from now on it is watched. */
export function watchRoom(): void {
  if (room !== undefined) return;
  const module = new WebAssembly.Module(bytes());
  const { exports } = new WebAssembly.Instance(module, { h: { n: () => {} } });
  room = exports["r"] as (more: number) => void;
}

/**
 * Looks whether 64 KiB are left.
 *
 * @throws RangeError if not, as the engine does when nothing is left
 */
export function checkRoom(): void {
  room?.(0);
}

/**
 * Whether there is room to call a guest on behalf of another one.
 *
 * @param sharesStack it runs on the host's stack: then it has 256 KiB, else the host's code around it 64
 */
export function hasRoom(sharesStack: boolean): boolean {
  try {
    room?.(sharesStack ? GUEST_FRAMES - 1 : 0);
    return true;
  } catch {
    return false;
  }
}
