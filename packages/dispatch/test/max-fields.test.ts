import {
  create,
  createFileRegistry,
  type DescMethodUnary,
  type DescService,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { codecOf } from "@dropthrough/codec";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type BackendInit,
  callerOf,
  createRegistry,
  defineBackend,
  defineByteEntry,
  type Interceptor,
  LocalCaller,
  type Registry,
} from "../src/index.ts";
import { EchoService } from "../src/testing.ts";
import { ECHO, outcome } from "./session-over.ts";

afterEach(() => vi.restoreAllMocks());

/** A request of so many fields: it says its bytes again and again, none at a time. */
function requestOf(fields: number): Uint8Array {
  const bytes = new Uint8Array(2 * fields);
  for (let i = 0; i < fields; i++) bytes[2 * i] = 0x0a;
  return bytes;
}

test.each([true, false])(
  "a request of more fields than its backend takes is RESOURCE_EXHAUSTED, and is not decoded (compiled: %s)",
  (compile) => {
    const codec = codecOf(EchoService.method.echo.input, { compile });
    const decode = vi.spyOn(codec, "decode");
    const registry = createRegistry({ codec: { compile } });
    const impl = { echo: () => ({}) };
    registry.use(defineBackend({ name: "test", service: EchoService, impl, maxFields: 1_000 }));
    const method = registry.connect(new LocalCaller("guest")).bind(ECHO);
    const start = (fields: number): unknown => method.start(requestOf(fields), 0, 2 * fields, 0);
    for (const fields of [1_001, 2_000_000]) {
      let refusal: unknown;
      try {
        start(fields);
      } catch (error) {
        refusal = error;
      }
      const { code, rawMessage } = ConnectError.from(refusal);
      expect(code).toBe(Code.ResourceExhausted);
      expect(rawMessage).toContain("more than 1000 fields: send less at once");
    }
    expect(decode).not.toHaveBeenCalled();
    expect(start(1_000)).toMatchObject({ $typeName: "dropthrough.testing.v1.EchoResponse" });
    expect(decode).toHaveBeenCalledOnce();
  },
);

test("a backend that does not say how many fields it takes, takes as many as the limit of the registry", () => {
  const startOf = (limits: object, more: object, fields: number): unknown => {
    const registry = createRegistry({ limits });
    const impl = { echo: () => ({}) };
    registry.use(defineBackend({ name: "test", service: EchoService, impl, ...more }));
    const method = registry.connect(new LocalCaller("guest")).bind(ECHO);
    return method.start(requestOf(fields), 0, 2 * fields, 0);
  };
  expect(startOf({}, {}, 131_072)).toBeDefined();
  expect(() => startOf({}, {}, 131_073)).toThrow("more than 131072 fields: send less at once");
  expect(() => startOf({ guestFields: 10 }, {}, 11)).toThrow("more than 10 fields");
  expect(startOf({ guestFields: 10 }, { maxFields: 11 }, 11)).toBeDefined();
});

test("the backend hears of what was refused; what it throws then is an incident", () => {
  const heard: string[] = [];
  const incidents: unknown[] = [];
  const bug = new Error("a bug");
  const registry = createRegistry({ onIncident: ({ error }) => incidents.push(error) });
  const refused: BackendInit["refused"] = ({ rawMessage }, context) => {
    heard.push(`${callerOf(context).name}: ${rawMessage}`);
    throw bug;
  };
  const more = { impl: { echo: () => ({}) }, maxFields: 10, refused };
  registry.use(defineBackend({ name: "test", service: EchoService, ...more }));
  const method = registry.connect(new LocalCaller("guest")).bind(ECHO);
  method.start(requestOf(10), 0, 20, 0);
  expect(() => method.start(requestOf(11), 0, 22, 0)).toThrow("more than 10 fields");
  expect(heard).toEqual([expect.stringMatching(/^guest: the .*EchoRequest holds more than 10/)]);
  expect(incidents).toEqual([bug]);
});

test("single methods may take another number of fields", () => {
  const registry = createRegistry();
  const impl = { echo: () => ({}) };
  const more = { maxFields: 10, maxFieldsOf: { echo: 20 } };
  registry.use(defineBackend({ name: "test", service: EchoService, impl, ...more }));
  const method = registry.connect(new LocalCaller("guest")).bind(ECHO);
  expect(method.start(requestOf(20), 0, 40, 0)).toBeDefined();
  expect(() => method.start(requestOf(21), 0, 42, 0)).toThrow("more than 20 fields");
});

/** How messages may stand in a message. */
type Kind = "list" | "map" | "group";

/** A service of a guest: what it is sent, and answers, is a list, or a map, of messages with so many fields each. */
function wideService(fields: number, kind: Kind = "list"): DescService {
  const field = Array.from({ length: fields }, (_, i) => ({
    name: `f${i}`,
    number: i + 1,
    type: FieldDescriptorProto_Type.INT32,
    label: FieldDescriptorProto_Label.OPTIONAL,
  }));
  const items = {
    name: "items",
    number: 1,
    type: FieldDescriptorProto_Type[kind === "group" ? "GROUP" : "MESSAGE"],
    label: FieldDescriptorProto_Label.REPEATED,
    typeName: kind === "map" ? ".wide.List.ItemsEntry" : ".wide.Item",
  };
  const { OPTIONAL: label } = FieldDescriptorProto_Label;
  const { MESSAGE: type, STRING } = FieldDescriptorProto_Type;
  const entry = {
    name: "ItemsEntry",
    options: { mapEntry: true },
    field: [
      { name: "key", number: 1, type: STRING, label },
      { name: "value", number: 2, type, label, typeName: ".wide.Item" },
    ],
  };
  const method = [{ name: "Get", inputType: ".wide.List", outputType: ".wide.List" }];
  const file = create(FileDescriptorProtoSchema, {
    name: "wide.proto",
    package: "wide",
    syntax: kind === "group" ? "proto2" : "proto3",
    messageType: [
      { name: "Item", field },
      { name: "List", field: [items], nestedType: kind === "map" ? [entry] : [] },
    ],
    service: [{ name: "Wide", method }],
  });
  const desc = createFileRegistry(file, () => undefined).getService("wide.Wide");
  if (desc === undefined) throw new Error("no such service");
  return desc;
}

/** So many empty messages, as bytes. */
function listOf(messages: number, kind: Kind = "list"): Uint8Array {
  if (kind !== "group") return requestOf(messages);
  return Uint8Array.from({ length: 2 * messages }, (_, i) => (i % 2 === 0 ? 0x0b : 0x0c));
}

describe("what a guest sends, or answers, where the host decodes it", () => {
  /** A registry in which a guest answers with what `answers` has; and what an interceptor saw. */
  function over(desc: DescService, answers: Uint8Array): { registry: Registry; seen: string[] } {
    const seen: string[] = [];
    const interceptor: Interceptor = (next) => async (one) => {
      seen.push(one.method.name);
      return next(one);
    };
    const registry = createRegistry({ interceptors: [interceptor] });
    registry.use(
      defineByteEntry({
        name: "wide",
        kind: "guest",
        service: "wide.Wide",
        desc,
        running: () => 1,
        answer: () => answers,
      }),
    );
    return { registry, seen };
  }

  const call = async (registry: Registry, request: Uint8Array): Promise<unknown> => {
    const method = registry.connect(new LocalCaller("guest")).bind("wide.Wide/Get");
    return outcome(method.start(request, 0, request.length, 0));
  };

  test.each<[number, Kind, number]>([
    [1, "list", 131_073],
    [15, "list", 65_537],
    [1000, "list", 1_041],
    [1000, "map", 1_041],
    [1000, "group", 1_041],
  ])("in messages of %i fields each, in a %s, %i are too many", async (fields, kind, tooMany) => {
    const desc = wideService(fields, kind);
    const refused = { code: Code.ResourceExhausted };
    const { registry, seen } = over(desc, listOf(1, kind));
    const few = listOf(tooMany - 1, kind);
    const many = listOf(tooMany, kind);
    await expect(call(registry, few)).resolves.toHaveProperty("items");
    await expect((async () => call(registry, many))()).rejects.toMatchObject(refused);
    expect(seen).toEqual(["Get"]);
    await expect(call(over(desc, few).registry, listOf(0))).resolves.toBeDefined();
    await expect(call(over(desc, many).registry, listOf(0))).rejects.toMatchObject(refused);
  });

  test("is bounded for the program that calls it, too", async () => {
    const desc = wideService(1000);
    const { registry } = over(desc, listOf(1_041));
    const [method] = desc.methods as DescMethodUnary[];
    const program = registry.connect(new LocalCaller("program"));
    await expect(program.unary(method as DescMethodUnary, {})).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: "the wide.List holds more than 131072 fields: send less at once",
    });
  });
});
