// The program that the conformance runner starts. Bytes go through the codec, JSON and text through protobuf-es.
//
//   stdin, stdout:  length (4 bytes, little endian) │ ConformanceRequest or -Response │ length │ ...
import { readSync, writeSync } from "node:fs";
import { type DescMessage, fromJsonString, type Message, toJsonString } from "@bufbuild/protobuf";
import { fromText, toText } from "@bufbuild/protobuf/txtpb";
import { type Codec, codecOf } from "../../src/index.ts";
import { messageOf, sources, typesOf } from "../contracts.ts";

type Request = Message & {
  readonly payload: { readonly case?: string; readonly value?: unknown };
  readonly requestedOutputFormat: number;
  readonly messageType: string;
  readonly testCategory: number;
  readonly printUnknownFields: boolean;
};
type Result = { readonly case: string; readonly value: unknown };

/** `protobuf-es` for a run that shows what it does by itself. */
const compile = process.argv[2] !== "protobuf-es";
const registry = typesOf(sources.conformance);
const codec = (desc: DescMessage): Codec => codecOf(desc, { compile });
const requests = codec(messageOf(registry, "conformance.ConformanceRequest"));
const responses = codec(messageOf(registry, "conformance.ConformanceResponse"));

const PROTOBUF = 1;
const JSON_FORMAT = 2;
const TEXT_FORMAT = 4;
const IGNORE_UNKNOWN = 3;

for (;;) {
  const head = readExactly(4);
  const request = head && readExactly(new DataView(head.buffer).getUint32(0, true));
  if (request === undefined) break;
  answer(requests.decode(request, 0, request.length) as Request);
}

function answer(request: Request): void {
  const response = { $typeName: responses.desc.typeName, result: test(request) } as Message;
  const frame = new Uint8Array(1 << 20);
  const length = responses.encodeInto(response, frame, 4, frame.length);
  if (length < 0) throw new Error("a response of more than 1 MiB");
  new DataView(frame.buffer).setUint32(0, length, true);
  for (let at = 0; at < 4 + length;) at += writeSync(1, frame, at, 4 + length - at);
}

function test(request: Request): Result {
  const desc = registry.getMessage(request.messageType);
  if (desc === undefined) {
    // The first question is which failures we know of; the runner has them from a list.
    if (request.messageType === "conformance.FailureSet") {
      return { case: "protobufPayload", value: new Uint8Array() };
    }
    return { case: "runtimeError", value: `there is no message ${request.messageType}` };
  }
  let message: Message | undefined;
  try {
    message = parse(desc, request);
  } catch (error) {
    return { case: "parseError", value: String(error) };
  }
  if (message === undefined) return { case: "skipped", value: "there is no such format" };
  try {
    return write(desc, message, request);
  } catch (error) {
    return { case: "serializeError", value: String(error) };
  }
}

function parse(desc: DescMessage, { payload, testCategory }: Request): Message | undefined {
  const { value } = payload;
  if (payload.case === "protobufPayload" && value instanceof Uint8Array) {
    return codec(desc).decode(value, 0, value.length);
  }
  if (typeof value !== "string") return undefined;
  const ignoreUnknownFields = testCategory === IGNORE_UNKNOWN;
  if (payload.case === "jsonPayload") {
    return fromJsonString(desc, value, { registry, ignoreUnknownFields });
  }
  return payload.case === "textPayload" ? fromText(desc, value, { registry }) : undefined;
}

function write(desc: DescMessage, message: Message, request: Request): Result {
  switch (request.requestedOutputFormat) {
    case PROTOBUF:
      return { case: "protobufPayload", value: codec(desc).encode(message) };
    case JSON_FORMAT:
      return { case: "jsonPayload", value: toJsonString(desc, message, { registry }) };
    case TEXT_FORMAT: {
      const { printUnknownFields } = request;
      return {
        case: "textPayload",
        value: toText(desc, message, { registry, printUnknownFields }),
      };
    }
    default:
      return { case: "skipped", value: "there is no such format" };
  }
}

/** The next bytes of standard input; undefined at its end. */
function readExactly(length: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = readSync(0, bytes, at, length - at, null);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}
