import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescFile } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import type { FileDescriptorProto, FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/**
 * The descriptors of a file and of all that it imports, dependencies first and without comments, as base64 in
 * lines: what `dropthrough-as` puts into the manifest, so that building a guest needs no buf.
 */
export function descriptorText(file: DescFile): string {
  const files = new Map<string, FileDescriptorProto>();
  const visit = (desc: DescFile): void => {
    if (files.has(desc.name)) return;
    desc.dependencies.forEach(visit);
    const copy = fromBinary(
      FileDescriptorProtoSchema,
      toBinary(FileDescriptorProtoSchema, desc.proto),
    );
    delete copy.sourceCodeInfo;
    files.set(desc.name, copy);
  };
  visit(file);
  const set = create(FileDescriptorSetSchema, { file: [...files.values()] });
  const text = base64Encode(toBinary(FileDescriptorSetSchema, set));
  return text.replaceAll(/.{1,100}/g, "$&\n").trimEnd();
}

/** Reads what `descriptorText` wrote; lines that start with # are comments. */
export function parseDescriptorText(text: string): FileDescriptorSet {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return fromBinary(FileDescriptorSetSchema, base64Decode(lines.join("").trim()));
}
