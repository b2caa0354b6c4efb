import { Code, ConnectError } from "@connectrpc/connect";
import { codecOf } from "@dropthrough/codec";
import { afterEach, expect, test, vi } from "vitest";
import {
  type BackendInit,
  callerOf,
  createRegistry,
  defineBackend,
  LocalCaller,
} from "../src/index.ts";
import { EchoService } from "../src/testing.ts";
import { ECHO } from "./session-over.ts";

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
