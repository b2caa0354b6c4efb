import { createFileRegistry, type DescService } from "@bufbuild/protobuf";
import { type Manifest, ModuleError } from "@dropthrough/abi";

/**
 * The services that a manifest holds descriptors of.
 *
 * @throws ModuleError if its descriptors do not fit together
 */
export function servicesOf(manifest: Manifest | undefined): DescService[] {
  if (manifest?.descriptors === undefined) return [];
  try {
    return [...createFileRegistry(manifest.descriptors)].filter((desc) => desc.kind === "service");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModuleError(
      `the descriptors in its manifest do not fit together (${why}): build the guest again`,
      { cause },
    );
  }
}
