import { posix } from "node:path";
import type { AnyDesc, DescEnum, DescFile, DescMessage } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { fileNames } from "./file-names.ts";
import { NameScope, TYPE_NAMES } from "./reserved-names.ts";

/** Where guests find this package. */
export const RUNTIME = "@dropthrough/assemblyscript/assembly";

/** Files whose classes are part of this package: everybody has to mean the same class by `Any`. */
const SHIPPED: ReadonlySet<string> = new Set([
  "dropthrough/abi/v1/status",
  "dropthrough/kernel/v1/kernel",
  ...["any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"].map(
    (name) => `google/protobuf/${name}`,
  ),
]);

/** What can have a comment in a .proto file. */
type Commented = Exclude<AnyDesc, DescFile>;

/** The comment of the .proto file, as lines without the space that stands before each; none if it has none. */
function commentLines(desc: Commented): string[] {
  const { leading, trailing } = getComments(desc);
  const text = [leading, trailing]
    .filter((part) => part !== undefined)
    .join("\n")
    .trim();
  const lines = text === "" ? [] : text.split("\n").map((line) => line.replace(/^ /, ""));
  return desc.deprecated ? [...lines, "@deprecated"] : lines;
}

/** The text of one generated file: its lines, and the imports that they turn out to need. */
export class SourceText {
  readonly #file: DescFile;
  readonly #runtime: string;
  readonly #scope: NameScope;
  readonly #lines: string[] = [];
  readonly #imports = new Map<string, Map<string, string>>();

  /** `runtime` is what to import the library from: a package, or a path that is relative to the output folder. */
  constructor(file: DescFile, runtime: string) {
    this.#file = file;
    this.#runtime = runtime;
    const names = fileNames(file);
    this.#scope = new NameScope([
      ...TYPE_NAMES,
      ...names.types.values(),
      ...names.cases.values(),
      ...names.clients.values(),
      ...names.servers.values(),
    ]);
  }

  /** Adds a line. */
  line(text: string): void {
    this.#lines.push(text);
  }

  /** Adds the comment of the .proto file as a doc comment; `fallback` if there is none. */
  comment(desc: Commented, indent: string, fallback = ""): void {
    const lines = commentLines(desc);
    this.doc(lines.length > 0 || fallback === "" ? lines : [fallback], indent);
  }

  /** Adds a doc comment that says something of its own and then what the .proto file says. */
  commentAfter(first: string, desc: Commented, indent: string): void {
    const lines = commentLines(desc);
    this.doc(lines.length > 0 ? [first, "", ...lines] : [first], indent);
  }

  /** Adds a doc comment. */
  doc(lines: readonly string[], indent: string): void {
    const text = lines.map((line) => line.trimEnd().replaceAll("*/", "*\\/"));
    if (text.length === 0) return;
    if (text.length === 1) return this.line(`${indent}/** ${text[0]} */`);
    this.line(`${indent}/**`);
    for (const line of text) this.line(line === "" ? `${indent} *` : `${indent} * ${line}`);
    this.line(`${indent} */`);
  }

  /** The name that something of the library has in this file. */
  runtime(name: string): string {
    return this.#import(this.#fromRoot(this.#runtime), name);
  }

  /** The name that a message's class or an enum's namespace has in this file. */
  type(desc: DescMessage | DescEnum): string {
    const name = fileNames(desc.file).types.get(desc);
    if (name === undefined) throw new Error(`${desc.typeName} has no name`);
    if (desc.file === this.#file) return name;
    const shipped = this.#runtime === RUNTIME && SHIPPED.has(desc.file.name);
    const from = shipped
      ? `${RUNTIME}/gen/${desc.file.name}`
      : this.#fromRoot(`./${desc.file.name}`);
    return this.#import(from, name);
  }

  /** The whole file. */
  toString(): string {
    const imports = [...this.#imports]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([from, names]) => {
        const list = [...names].map(([name, local]) =>
          name === local ? name : `${name} as ${local}`,
        );
        return `import { ${list.toSorted().join(", ")} } from "${from}";`;
      });
    return [...imports, "", ...this.#lines].join("\n");
  }

  #import(from: string, name: string): string {
    let names = this.#imports.get(from);
    if (names === undefined) this.#imports.set(from, (names = new Map<string, string>()));
    let local = names.get(name);
    if (local === undefined) names.set(name, (local = this.#scope.take(name)));
    return local;
  }

  /** A path that is relative to the output folder, made relative to this file. */
  #fromRoot(path: string): string {
    if (!path.startsWith(".")) return path;
    const relative = posix.relative(posix.dirname(this.#file.name), path);
    return relative.startsWith(".") ? relative : `./${relative}`;
  }
}
