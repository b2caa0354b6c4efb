import { readFileSync } from "node:fs";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createTransport, LocalCaller } from "@dropthrough/dispatch";
import { codesWithoutRow } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { KernelService } from "../src/index.ts";
import { failure, settled } from "./failure.ts";
import { World, type WorldGuest } from "./world.ts";

type Row = [rpc: string, code: Code, when: string, call: (world: World) => Promise<unknown>];

const services = ["x.S"];
const many = Array.from({ length: 257 }, (_, i) => `x.S${i}`);

/** The kernel as the program itself calls it. */
const byHost = ({ registry }: World): WorldGuest["client"] =>
  createClient(KernelService, createTransport(registry.connect(new LocalCaller("host"))));

/** A guest that has registered. */
async function registered(
  world: World,
  name = "a",
  mayExport: readonly string[] = [],
): Promise<WorldGuest> {
  const guest = world.guest(name, mayExport);
  await guest.client.register({});
  return guest;
}

/** Launches a guest that requires what `b` is to export, and goes on while it waits. */
async function launching(
  world: World,
  then: (guest: WorldGuest, b: WorldGuest) => void | Promise<unknown>,
): Promise<unknown> {
  const b = world.guest("b", services);
  const guest = await registered(world);
  await guest.client.require({ services });
  const launch = guest.client.launch({});
  launch.catch(() => {});
  await settled();
  await then(guest, b);
  return launch;
}

/** Receives, and is given up before something comes. */
async function receiving(
  world: World,
  giveUp: (controller: AbortController) => void,
  timeoutMs?: number,
): Promise<unknown> {
  const guest = await registered(world);
  const controller = new AbortController();
  const { signal } = controller;
  const receive = guest.client.receive(
    {},
    { signal, ...(timeoutMs !== undefined && { timeoutMs }) },
  );
  receive.catch(() => {});
  await settled();
  giveUp(controller);
  return receive;
}

const ROWS: Row[] = [
  [
    "Register",
    Code.InvalidArgument,
    "by another name",
    (w) => w.guest("a").client.register({ name: "b" }),
  ],
  ["Register", Code.FailedPrecondition, "by the program", (w) => byHost(w).register({})],
  [
    "Export",
    Code.FailedPrecondition,
    "before Register",
    (w) => w.guest("a", services).client.export({ services }),
  ],
  [
    "Export",
    Code.PermissionDenied,
    "of what is another's",
    async (w) => (await registered(w)).client.export({ services }),
  ],
  [
    "Export",
    Code.AlreadyExists,
    "of what a backend owns",
    async (w) => {
      const kernel = [KernelService.typeName];
      return (await registered(w, "a", kernel)).client.export({ services: kernel });
    },
  ],
  [
    "Export",
    Code.InvalidArgument,
    "of no name of a service",
    async (w) => (await registered(w, "a", ["no name"])).client.export({ services: ["no name"] }),
  ],
  [
    "Export",
    Code.ResourceExhausted,
    "of 257 services",
    async (w) => (await registered(w, "a", many)).client.export({ services: many }),
  ],
  [
    "Require",
    Code.FailedPrecondition,
    "before Register",
    (w) => w.guest("a").client.require({ services }),
  ],
  [
    "Require",
    Code.FailedPrecondition,
    "of a cycle",
    async (w) => {
      const [a, b] = [await registered(w, "a", ["x.a"]), await registered(w, "b", ["x.b"])];
      await a.client.export({ services: ["x.a"] });
      await b.client.export({ services: ["x.b"] });
      await a.client.require({ services: ["x.b"] });
      return b.client.require({ services: ["x.a"] });
    },
  ],
  [
    "Require",
    Code.InvalidArgument,
    "of no name of a service",
    async (w) => (await registered(w)).client.require({ services: [""] }),
  ],
  [
    "Require",
    Code.ResourceExhausted,
    "of 257 services",
    async (w) => (await registered(w)).client.require({ services: many }),
  ],
  [
    "Locate",
    Code.FailedPrecondition,
    "of what was not required",
    async (w) => (await registered(w)).client.locate({ service: "x.S" }),
  ],
  [
    "Locate",
    Code.NotFound,
    "of what nobody serves",
    async (w) => {
      const guest = await registered(w);
      await guest.client.require({ services });
      return guest.client.locate({ service: "x.S" });
    },
  ],
  [
    "Locate",
    Code.Unavailable,
    "of a guest that is starting",
    async (w) => {
      const guest = await registered(w);
      await guest.client.require({ services });
      await (await registered(w, "b", services)).client.export({ services });
      return guest.client.locate({ service: "x.S" });
    },
  ],
  ["Launch", Code.FailedPrecondition, "before Register", (w) => w.guest("a").client.launch({})],
  [
    "Launch",
    Code.FailedPrecondition,
    "while another waits",
    async (w) => {
      let second: Promise<unknown> = Promise.resolve();
      await launching(w, (guest, b) => {
        second = guest.client.launch({});
        second.catch(() => {});
        return b.start();
      });
      return second;
    },
  ],
  ["Launch", Code.NotFound, "if nobody exports what it requires", (w) => w.guest("a").start("x.S")],
  [
    "Launch",
    Code.DeadlineExceeded,
    "at the startup deadline",
    (w) => launching(w, () => w.clock.advance(1000)),
  ],
  [
    "Launch",
    Code.Unavailable,
    "if the one that was to serve has ended",
    (w) => launching(w, async (_, b) => b.client.exit({ code: 3 })),
  ],
  [
    "Launch",
    Code.Aborted,
    "if the guest ends meanwhile",
    (w) => launching(w, (guest) => guest.end()),
  ],
  ["Receive", Code.FailedPrecondition, "before Register", (w) => w.guest("a").client.receive({})],
  ["Receive", Code.Canceled, "if it is released", (w) => receiving(w, (own) => own.abort())],
  [
    "Receive",
    Code.DeadlineExceeded,
    "at the deadline of its own call",
    (w) => receiving(w, () => w.clock.advance(5), 5),
  ],
  ["AtExit", Code.FailedPrecondition, "by the program", (w) => byHost(w).atExit({})],
  [
    "AtExit",
    Code.ResourceExhausted,
    "if no method can be bound any more",
    async (w) => {
      const guest = await registered(w);
      // What the host answers is proved in its own tests.
      guest.atExit = () => {
        throw new ConnectError("too many methods are bound", Code.ResourceExhausted);
      };
      return guest.client.atExit({});
    },
  ],
  ["Exit", Code.FailedPrecondition, "by the program", (w) => byHost(w).exit({})],
  ["Arguments", Code.FailedPrecondition, "by the program", (w) => byHost(w).arguments({})],
  ["Environment", Code.FailedPrecondition, "by the program", (w) => byHost(w).environment({})],
  [
    "Random",
    Code.ResourceExhausted,
    "above 65,536 bytes",
    (w) => w.guest("a").client.random({ length: 65_537 }),
  ],
];

test.each(ROWS)("%s answers %d %s", async (_, code, __, call) => {
  expect((await failure(call(new World()))).code).toBe(code);
});

test("every code that the contract documents has a row", () => {
  const contract = new URL("../../../../proto/dropthrough/kernel/v1/kernel.proto", import.meta.url);
  expect(codesWithoutRow(readFileSync(contract, "utf8"), ROWS)).toEqual([]);
});
