import { create, type DescMessage, type Message, protoInt64 } from "@bufbuild/protobuf";
import { decodeSource } from "./decode-source.ts";
import { encodeSource } from "./encode-source.ts";
import { decodeRuntime, encodeRuntime } from "./runtime.ts";
import type { CodecSource } from "./source-text.ts";

/** What generated code can do with one message type. The offsets are bytes in `memory`. */
export interface MessageCode {
  /** An empty message. */
  create(): Message;
  /** Reads `[pos, end)`, or a group to its end, into a message; leaves `cursor.pos` after it. */
  read(
    message: Message | undefined,
    memory: Uint8Array,
    pos: number,
    end: number,
    group: number,
  ): Message;
  /** Writes from `pos`; answers where it ends, or -1 if that is after `end`. */
  write(message: Message, memory: Uint8Array, pos: number, end: number): number;
}

const codes = new WeakMap<DescMessage, MessageCode>();

/** The code of a message type. It is generated when it is first used, and those of its fields' types likewise. */
export function messageCode(desc: DescMessage): MessageCode {
  const known = codes.get(desc);
  if (known !== undefined) return known;
  const decoder = (): MessageCode => {
    const sample = create(desc);
    return Object.assign(code, generate(decodeSource(desc, sample), "read", decodeRuntime, sample));
  };
  const encoder = (): MessageCode =>
    Object.assign(code, generate(encodeSource(desc), "write", encodeRuntime, {}));
  const code: MessageCode = {
    create: () => decoder().create(),
    read: (message, memory, pos, end, group) => decoder().read(message, memory, pos, end, group),
    write: (message, memory, pos, end) => encoder().write(message, memory, pos, end),
  };
  codes.set(desc, code);
  return code;
}

/** The generated code of a message type, to be read by people. */
export function sourceOf(desc: DescMessage): { readonly decode: string; readonly encode: string } {
  return { decode: decodeSource(desc, create(desc)).text, encode: encodeSource(desc).text };
}

/** Whether code can be generated here: not where a policy forbids it, nor where there is no bigint. */
export function canGenerate(): boolean {
  allowed ??= protoInt64.supported && evaluates();
  return allowed;
}
let allowed: boolean | undefined;

function evaluates(): boolean {
  try {
    return compile("return true", "probe", [])() === true;
  } catch {
    return false;
  }
}

function generate(
  { text, children }: CodecSource,
  verb: string,
  runtime: object,
  sample: object,
): Partial<MessageCode> {
  const source = `"use strict";\nconst { ${Object.keys(runtime).join(", ")} } = runtime;\n${text}`;
  const make = compile(source, verb, ["runtime", "children", "sample"]);
  return make(runtime, children.map(messageCode), sample) as Partial<MessageCode>;
}

/** Generated code shows up under a name of its own in a debugger and a profile. */
function compile(
  source: string,
  verb: string,
  parameters: readonly string[],
): (...values: readonly unknown[]) => unknown {
  const title = /^\/\/ \w+ "([\w.]+)"$/m.exec(source)?.[1] ?? "anonymous";
  const url = `//# sourceURL=dropthrough-codec/${title}.${verb}.js`;
  // The source is made from descriptors by encode-source and decode-source, which quote every name in it.
  // oxlint-disable-next-line typescript/no-implied-eval -- the one place where code is generated
  return new Function(...parameters, `${source}\n${url}`) as ReturnType<typeof compile>;
}
