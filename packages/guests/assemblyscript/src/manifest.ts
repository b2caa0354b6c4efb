import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import type { FileDescriptorProto, FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { parseDescriptorText } from "./descriptor-text.ts";
import { ManifestSchema } from "./gen/dropthrough/abi/v1/manifest_pb.ts";

/** What a guest says of itself. */
export interface ManifestOptions {
  /** The guest's name, such as "words.facade"; may be empty. */
  readonly name: string;
  /** The guest's version, for people; may be empty. */
  readonly version: string;
  /** Full names of the services that it serves. */
  readonly exports: readonly string[];
  /** Full names of the services that it calls. */
  readonly requires: readonly string[];
  /** Files `*.descriptors.txt`, or folders to look for them in. */
  readonly descriptors: readonly string[];
}

/** Something that the manifest should say is not there. */
export class ManifestError extends Error {
  override name = "ManifestError";
}

/**
 * The encoded dropthrough.abi.v1.Manifest: names, and the descriptors of the services named.
 *
 * Throws ManifestError for a name that is not `package.Service`, and for a service whose descriptors are not found.
 * With an empty list of `descriptors` none are looked for.
 */
export async function encodeManifest(options: ManifestOptions): Promise<Uint8Array> {
  const services = [...options.exports, ...options.requires];
  for (const service of services) {
    if (!/^([A-Za-z_]\w*\.)+[A-Za-z_]\w*$/.test(service)) {
      throw new ManifestError(`"${service}" is no service name; write it as package.Service`);
    }
  }
  const { name, version, exports, requires } = options;
  const manifest = create(ManifestSchema, {
    name,
    version,
    exports: [...exports],
    requires: [...requires],
  });
  if (options.descriptors.length > 0 && services.length > 0) {
    manifest.descriptors = await findDescriptors(services, options.descriptors);
  }
  return toBinary(ManifestSchema, manifest);
}

const OWN = fileURLToPath(new URL("../assembly/gen", import.meta.url));

async function findDescriptors(
  services: readonly string[],
  places: readonly string[],
): Promise<FileDescriptorSet> {
  const missing = new Set(services);
  const files = new Map<string, FileDescriptorProto>();
  // The kernel's and the log's come with this package, as their clients do.
  for (const path of [...(await descriptorFiles(places)), ...(await descriptorFiles([OWN]))]) {
    const set = parseDescriptorText(await readFile(path, "utf8"));
    const declared = set.file.flatMap((file) =>
      file.service.map((service) => `${file.package}.${service.name}`),
    );
    const wanted = declared.filter((service) => missing.delete(service));
    // Dependencies first within each set, so they stay first in the union.
    if (wanted.length > 0)
      for (const file of set.file) if (!files.has(file.name)) files.set(file.name, file);
  }
  if (missing.size > 0) {
    throw new ManifestError(
      `no descriptors of ${[...missing].join(", ")} in ${places.join(", ")}: generate them with buf ` +
        "(protoc-gen-dropthrough-as), name their folder with --descriptors, or leave them out with --no-descriptors",
    );
  }
  return create(FileDescriptorSetSchema, { file: [...files.values()] });
}

/** The files themselves, sorted, so that the same guest always comes out the same. */
async function descriptorFiles(places: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const place of places) {
    const info = await stat(place).catch(() => undefined);
    if (info === undefined) throw new ManifestError(`there is no file or folder ${place}`);
    if (info.isFile()) found.push(place);
    else {
      const names = await readdir(place, { recursive: true });
      const texts = names.filter((name) => name.endsWith(".descriptors.txt")).toSorted();
      found.push(...texts.map((name) => join(place, name)));
    }
  }
  return found;
}
