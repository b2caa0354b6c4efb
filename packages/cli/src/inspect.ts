import { ABI_MODULE, type GuestModule, manifestServices, readGuestModule } from "@dropthrough/abi";

/** What can be known of a guest module without running it. */
export interface Inspection {
  /** Such as `dropthrough_v1`. */
  readonly abi: string;
  readonly kind: "command" | "reactor";
  readonly serves: boolean;
  readonly eventLoop: boolean;
  /** Such as `dropthrough_v1.bind (i32, i32) -> i32`. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  /** Pages of 64 KiB: the first size, and the maximum if there is one. */
  readonly memory: { readonly minimum: number; readonly maximum: number | undefined };
  /** What the guest says of itself. */
  readonly manifest:
    | {
        readonly name: string;
        readonly version: string;
        readonly exports: readonly string[];
        readonly requires: readonly string[];
        /** The services that it holds descriptors of, with their methods. */
        readonly services: Readonly<Record<string, readonly string[]>>;
      }
    | undefined;
}

/**
 * Inspects a module.
 *
 * @throws ModuleError if it is no guest of this ABI, or its manifest cannot be read
 */
export function inspect(bytes: Uint8Array): Inspection {
  const guest = readGuestModule(bytes);
  const { info } = guest;
  const [memory] = info.memories;
  return {
    abi: ABI_MODULE,
    kind: guest.kind,
    serves: guest.serves,
    eventLoop: guest.eventLoop,
    imports: info.imports.map((i) => `${i.module}.${i.name} ${i.signature ?? i.kind}`),
    exports: info.exports.map((e) => `${e.name} ${e.signature ?? e.kind}`),
    memory: { minimum: memory?.minimum ?? 0, maximum: memory?.maximum },
    manifest: manifestOf(guest),
  };
}

function manifestOf({ manifest }: GuestModule): Inspection["manifest"] {
  if (manifest === undefined) return undefined;
  const { name, version, exports, requires } = manifest;
  const services = manifestServices(manifest);
  return {
    name,
    version,
    exports,
    requires,
    services: Object.fromEntries(services.map((s) => [s.typeName, s.methods.map((m) => m.name)])),
  };
}
