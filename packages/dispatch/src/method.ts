import type { DescMethod, DescMethodUnary } from "@bufbuild/protobuf";
import type { Entry } from "./entry.ts";
import { serviceDesc, serviceName } from "./entry.ts";

/** One method of the registry: a name, who answers it, and its descriptor where that is known. */
export interface Method {
  /** `package.Service/Method`. */
  readonly name: string;
  /** Full name of the service. */
  readonly service: string;
  /** The method's own name, as in the .proto file. */
  readonly method: string;
  readonly entry: Entry;
  readonly desc: DescMethod | undefined;
  /** Its calls belong to no other call (`Backend.detached`). */
  readonly detached: boolean;
  /** Fields that a request may hold (`Backend.maxFields`); undefined for the limit of the registry. */
  readonly maxFields: number | undefined;
}

/** Finds a method of an entry; undefined if its descriptor says that there is none of that name. */
export function methodOf(entry: Entry, method: string): Method | undefined {
  const desc = serviceDesc(entry)?.methods.find((m) => m.name === method);
  if (desc === undefined && serviceDesc(entry) !== undefined) return undefined;
  const service = serviceName(entry);
  const detached =
    entry.kind === "backend" && desc !== undefined && entry.detached?.includes(desc.localName);
  const maxFields =
    entry.kind === "backend"
      ? (entry.maxFieldsOf?.[desc?.localName ?? ""] ?? entry.maxFields)
      : undefined;
  return {
    name: `${service}/${method}`,
    service,
    method,
    entry,
    desc,
    detached: detached ?? false,
    maxFields,
  };
}

/** Whether one request gets one response, the only kind that guests call so far. */
export function isUnary(desc: DescMethod): desc is DescMethodUnary {
  return desc.methodKind === "unary";
}
