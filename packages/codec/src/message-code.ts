import { create, type DescMessage, type Message, protoInt64 } from "@bufbuild/protobuf";
import { createSource } from "./create-source.ts";
import { decodeSource } from "./decode-source.ts";
import { encodeSource } from "./encode-source.ts";
import { createRuntime, decodeRuntime, encodeRuntime } from "./runtime.ts";
import type { CodecSource } from "./source-text.ts";

/** What generated code can do with one message type. The offsets are bytes in `memory`. */
export interface MessageCode {
  /** A message of the values that a program gave, or an empty one. */
  create: (init?: object) => Message;
  /** Reads `[pos, end)`, or a group to its end, into a message; leaves `cursor.pos` after it. */
  read: (
    message: Message | undefined,
    memory: Uint8Array,
    pos: number,
    end: number,
    group: number,
  ) => Message;
  /** Writes from `pos`; answers where it ends, or -1 if that is after `end`. */
  write: (message: Message, memory: Uint8Array, pos: number, end: number) => number;
}

/** What makes messages: the constructor of empty ones is the reader's too. */
interface Creator extends Pick<MessageCode, "create"> {
  readonly Message: new () => Message;
}

const codes = new WeakMap<DescMessage, MessageCode>();

/** The code of a message type. It is generated when it is first used, and those of its fields' types likewise. */
export function messageCode(desc: DescMessage): MessageCode {
  const known = codes.get(desc);
  if (known !== undefined) return known;
  let creator: Creator | undefined;
  const creation = (): Creator => {
    const sample = create(desc);
    creator ??= generate(createSource(desc, sample), "create", createRuntime, {
      sample,
    }) as Creator;
    return creator;
  };
  const code: MessageCode = {
    create(init) {
      code.create = creation().create;
      return code.create(init);
    },
    read(message, memory, pos, end, group) {
      const { Message } = creation();
      Object.assign(code, generate(decodeSource(desc), "read", decodeRuntime, { Message }));
      return code.read(message, memory, pos, end, group);
    },
    write(message, memory, pos, end) {
      Object.assign(code, generate(encodeSource(desc), "write", encodeRuntime, {}));
      return code.write(message, memory, pos, end);
    },
  };
  codes.set(desc, code);
  return code;
}

/** The generated code of a message type, to be read by people. */
export function sourceOf(desc: DescMessage): {
  readonly create: string;
  readonly decode: string;
  readonly encode: string;
} {
  return {
    create: createSource(desc, create(desc)).text,
    decode: decodeSource(desc).text,
    encode: encodeSource(desc).text,
  };
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
  more: object,
): unknown {
  const given = { ...runtime, ...more };
  const source = `"use strict";\nconst { ${Object.keys(given).join(", ")} } = runtime;\n${text}`;
  const make = compile(source, verb, ["runtime", "children"]);
  return make(given, children.map(messageCode));
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
