import type { AnyDesc, DescFile, DescMessage, DescOneof, DescService } from "@bufbuild/protobuf";
import { NameScope, TYPE_NAMES } from "./reserved-names.ts";

/** The names of a file's classes and namespaces, by what they stand for. */
export interface FileNames {
  /** The class of a message, the namespace of an enum. */
  readonly types: ReadonlyMap<AnyDesc, string>;
  /** The namespace with the cases of a oneof. */
  readonly cases: ReadonlyMap<DescOneof, string>;
  /** The client class of a service. */
  readonly clients: ReadonlyMap<DescService, string>;
  /** The abstract server class of a service. */
  readonly servers: ReadonlyMap<DescService, string>;
}

const known = new WeakMap<DescFile, FileNames>();

/** The names of a file: always the same ones, so that importing files agree with it. */
export function fileNames(file: DescFile): FileNames {
  let names = known.get(file);
  if (names === undefined) {
    names = computeNames(file);
    known.set(file, names);
  }
  return names;
}

/** All messages of a file, the nested ones after those around them; without map entries. */
export function messagesOf(file: DescFile): DescMessage[] {
  const all: DescMessage[] = [];
  const visit = (message: DescMessage): void => {
    if (message.proto.options?.mapEntry === true) return;
    all.push(message);
    message.nestedMessages.forEach(visit);
  };
  file.messages.forEach(visit);
  return all;
}

/** `a_b_c` or `aBC` as `AbC`: how a oneof's name becomes part of a namespace's. */
export function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|_)([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `fooBar` or `foo_bar` as `FOO_BAR`. */
export function constantCase(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

function computeNames(file: DescFile): FileNames {
  const scope = new NameScope(TYPE_NAMES);
  const prefix = file.proto.package === "" ? 0 : file.proto.package.length + 1;
  const wanted = (typeName: string): string => typeName.slice(prefix).replaceAll(".", "_");
  const types = new Map<AnyDesc, string>();
  const cases = new Map<DescOneof, string>();
  const messages = messagesOf(file);
  const enums = [...file.enums, ...messages.flatMap((message) => message.nestedEnums)];
  for (const type of [...messages, ...enums]) types.set(type, scope.take(wanted(type.typeName)));
  for (const message of messages) {
    for (const oneof of message.oneofs) {
      const name = `${wanted(message.typeName)}_${pascalCase(oneof.name)}Case`;
      cases.set(oneof, scope.take(name));
    }
  }
  const clients = new Map<DescService, string>();
  const servers = new Map<DescService, string>();
  for (const service of file.services) {
    clients.set(service, scope.take(`${service.name}Client`));
    servers.set(service, scope.take(`${service.name}Server`));
  }
  return { types, cases, clients, servers };
}
