import { Code, ConnectError } from "@connectrpc/connect";
import { DEFAULT_ABI_LIMITS, Endpoint, GuestMemory } from "@dropthrough/abi";
import { type Call, createRegistry, LocalCaller } from "@dropthrough/dispatch";
import { echo } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { Receiver } from "../src/receiver.ts";
import { ECHO } from "./control.ts";

test("an event whose Receive is given up before it is answered, by an interceptor that waits, is for the next one", () => {
  const registry = createRegistry();
  registry.use(echo());
  const session = registry.connect(new LocalCaller("guest"));
  const endpoint = new Endpoint(new GuestMemory({ buffer: new ArrayBuffer(8) }), {
    limits: DEFAULT_ABI_LIMITS,
    bind: (name) => session.bind(name),
    incident: () => "",
  });
  const { clock } = registry;
  const receiver = new Receiver({ name: "guest", endpoint, session, clock, pull: () => {} });
  const open = (): Call => {
    const method = registry.find(ECHO);
    if (method === undefined) throw new Error("no method");
    return session.open(method, 0);
  };
  const exit = { kind: "exit", code: 0, reason: "", graceMs: 0 } as const;
  receiver.askExit(exit);
  const first = open();
  expect(receiver.receive(0, first)).toEqual(exit);
  first.abort(new ConnectError("", Code.Canceled));
  const second = open();
  expect(receiver.receive(0, second)).toEqual(exit);
  second.end();
  expect(receiver.receive(0, open())).toEqual({ kind: "timeout" });
});
