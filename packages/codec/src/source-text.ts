import type { DescMessage } from "@bufbuild/protobuf";

/** Collects the lines of generated code, indented so that people can read them. */
export class SourceText {
  readonly #lines: string[] = [];
  #indent = "";

  /** Adds lines; one that ends with `{` indents what follows, one that starts with `}` ends that. */
  add(...lines: readonly string[]): this {
    for (const line of lines) {
      if (line.startsWith("}")) this.#indent = this.#indent.slice(2);
      this.#lines.push(this.#indent + line);
      if (line.endsWith("{")) this.#indent += "  ";
    }
    return this;
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

/** A string as a literal: nothing that a descriptor is called can become code. */
export function literal(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[^\u0020-\u007e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A property of an object: `message.key`, or `message["odd name"]`. */
export function property(object: string, name: string): string {
  return /^[a-z_$][\w$]*$/i.test(name) ? `${object}.${name}` : `${object}[${literal(name)}]`;
}

/** A value that a field has when it is not set. */
export function constant(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return literal(value);
    case "bigint":
      return `${value}n`;
    case "number":
    case "boolean":
      return String(value);
    default:
      return undefined;
  }
}

/** The code of a codec, and the message types whose codecs it calls: `children[0]`, `children[1]`, ... */
export interface CodecSource {
  readonly text: string;
  readonly children: readonly DescMessage[];
}

/** Names the codec of a message type in the code that is being written. */
export type ChildName = (desc: DescMessage) => string;

/** Numbers the message types that are named. */
export function collectChildren(): { readonly children: DescMessage[]; readonly child: ChildName } {
  const children: DescMessage[] = [];
  const child: ChildName = (desc) => {
    if (!children.includes(desc)) children.push(desc);
    return `child${children.indexOf(desc)}`;
  };
  return { children, child };
}

export function codecSource(
  title: string,
  children: readonly DescMessage[],
  ...parts: readonly SourceText[]
): CodecSource {
  const names = children.map(
    ({ typeName }, at) => `const child${at} = children[${at}]; // ${literal(typeName)}\n`,
  );
  return { text: `// ${title}\n${names.join("")}${parts.join("")}`, children };
}
