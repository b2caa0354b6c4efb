import type { DescService } from "@bufbuild/protobuf";
import type { Passage } from "@dropthrough/abi";
import { type Backend, BACKEND_VERSION, brand } from "./backend.ts";
import type { Call } from "./call.ts";
import type { EntryKind } from "./guest.ts";

/** Whatever the registry can route a call to. */
export type Entry = Backend | ByteEntry;

/**
 * An entry that takes and answers encoded messages: a guest, or a link to another thread or node.
 */
export interface ByteEntry {
  readonly [brand]: number;
  readonly kind: Exclude<EntryKind, "backend">;
  /** For traces and messages: the guest's name. */
  readonly name: string;
  /** The full name of the service. */
  readonly service: string;
  /** The service's descriptor, where it is known: traces and interceptors need it. */
  readonly desc: DescService | undefined;
  /** The names of all who serve it, where they are several; `name` alone if left out. */
  owners?(): readonly string[];
  /** How many instances take calls now. */
  running(): number;
  /**
   * Answers a call.
   *
   * @param request the encoded request, in bytes that are the entry's own
   * @throws ConnectError as the entry answers it
   */
  answer(method: string, request: Uint8Array, call: Call): Uint8Array | Promise<Uint8Array>;
  /**
   * The same for a guest that is inside of its import, and another guest: the bytes may go from memory to memory.
   *
   * @param passage not to be kept
   * @returns the response, or how many bytes of it were put into the caller's buffer
   */
  pass?(passage: Passage, call: Call): Uint8Array | number | Promise<Uint8Array | number>;
  readonly [Symbol.asyncDispose]?: () => Promise<void>;
}

/** What is branded to be an entry. */
export type ByteEntryInit = Omit<ByteEntry, typeof brand>;

/** Makes an entry for a guest or a link: the object itself, branded, so that what it computes stays so. */
export function defineByteEntry(init: ByteEntryInit): ByteEntry {
  return Object.assign(init, { [brand]: BACKEND_VERSION });
}

/**
 * Checks that a value is an entry that this registry can use.
 *
 * @throws TypeError with one sentence that says what to do
 */
export function checkEntry(value: Entry): void {
  const version = (value as Partial<Entry> | undefined)?.[brand];
  if (version === undefined) {
    throw new TypeError(
      "registry.use takes a backend: make it with defineBackend of @dropthrough/dispatch",
    );
  }
  if (version !== BACKEND_VERSION) {
    const newer = version > BACKEND_VERSION;
    throw new TypeError(
      `the backend "${value.name}" was made for version ${version} of the backend interface, and this registry knows ${BACKEND_VERSION}: ` +
        (newer
          ? "upgrade @dropthrough/dispatch and @dropthrough/host"
          : `upgrade the package of "${value.name}"`),
    );
  }
}

/** The full name of the service that an entry answers for. */
export function serviceName(entry: Entry): string {
  return entry.kind === "backend" ? entry.service.typeName : entry.service;
}

/** The descriptor of that service, where it is known. */
export function serviceDesc(entry: Entry): DescService | undefined {
  return entry.kind === "backend" ? entry.service : entry.desc;
}
