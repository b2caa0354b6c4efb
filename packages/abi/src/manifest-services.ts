import { createFileRegistry, type DescService } from "@bufbuild/protobuf";
import type { DescriptorProto, FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import type { Manifest } from "./gen/dropthrough/abi/v1/manifest_pb.ts";
import { cut, ModuleError } from "./module-error.ts";

/** The longest full name of a type, in letters: each of them is kept as a whole, however long the package is that they share. */
const MOST_LETTERS = 512;
/** The most fields of one message: each message that is decoded has a place for all of them. */
const MOST_FIELDS = 1024;

/**
 * The services that a manifest holds descriptors of.
 *
 * @throws ModuleError if its descriptors do not fit together
 */
export function manifestServices(manifest: Manifest | undefined): DescService[] {
  if (manifest?.descriptors === undefined) return [];
  try {
    checkNames(manifest.descriptors);
    return [...createFileRegistry(manifest.descriptors)].filter((desc) => desc.kind === "service");
  } catch (cause) {
    // They come from a guest: whatever it is, it is no bug of ours.
    const why = cause instanceof Error ? cause.message : "";
    throw new ModuleError(
      `the descriptors in its manifest do not fit together (${cut(why || "a type is missing or of a wrong kind")}): build the guest again`,
      { cause },
    );
  }
}

/** Each file and each type is there once: of two, nobody could tell which was meant. */
function checkNames({ file: files }: FileDescriptorSet): void {
  const types = new Set<string>();
  const add = (scope: string, { name }: { readonly name: string }): string => {
    const full = scope === "" ? name : `${scope}.${name}`;
    if (full.length > MOST_LETTERS)
      throw new Error(
        `a name has ${full.length} letters, above ${MOST_LETTERS}: ${full.slice(0, 40)}…`,
      );
    if (types.has(full)) throw new Error(`${full} is there twice`);
    types.add(full);
    return full;
  };
  const addMessage = (scope: string, message: DescriptorProto): void => {
    const full = add(scope, message);
    if (message.field.length > MOST_FIELDS)
      throw new Error(`${full} has ${message.field.length} fields, above ${MOST_FIELDS}`);
    for (const nested of message.nestedType) addMessage(full, nested);
    for (const one of [...message.enumType, ...message.extension]) add(full, one);
  };
  const names = new Set(files.map(({ name }) => name));
  if (names.size < files.length) throw new Error("a file is there twice");
  for (const { name, package: scope, messageType, enumType, extension, service } of files) {
    if (!/^[\w.]*$/.test(scope))
      throw new Error(`${name}: invalid package name ${JSON.stringify(scope)}`);
    for (const message of messageType) addMessage(scope, message);
    for (const one of [...enumType, ...extension, ...service]) add(scope, one);
  }
}
