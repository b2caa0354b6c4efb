import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  ArgumentsRequestSchema,
  ArgumentsResponseSchema,
  ExitRequestSchema,
  ExportRequestSchema,
  ExportResponseSchema,
  RegisterRequestSchema,
  RegisterResponseSchema,
  RequireRequestSchema,
  RequireResponseSchema,
  ServicesRequestSchema,
  ServicesResponseSchema,
} from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import { guestModule, startGuest } from "./guests.ts";
import { failure, GuestExit, PlainHost } from "./plain-host.ts";

const KERNEL = "dropthrough.kernel.v1.KernelService";

/** A host that gives the guest arguments and lets it exit. */
function hostFor(args: string[]): { host: PlainHost; exits: [code: number, reason: string][] } {
  const host = new PlainHost();
  host.acceptKernelCalls();
  const exits: [number, string][] = [];
  host.typed(`${KERNEL}/Arguments`, ArgumentsRequestSchema, ArgumentsResponseSchema, () => ({
    arguments: args,
  }));
  host.methods.set(`${KERNEL}/Exit`, (bytes) => {
    const { code, reason } = fromBinary(ExitRequestSchema, bytes);
    exits.push([code, reason]);
    throw new GuestExit();
  });
  return { host, exits };
}

test("launch registers, exports, binds its own methods, requires and launches, in this order", async () => {
  const said: unknown[] = [];
  const host = await startGuest("pantry", (it) => {
    it.typed(`${KERNEL}/Register`, RegisterRequestSchema, RegisterResponseSchema, ({ name }) => {
      said.push(name);
      return {};
    });
    it.typed(`${KERNEL}/Export`, ExportRequestSchema, ExportResponseSchema, ({ services }) => {
      said.push(services);
      return {};
    });
    it.typed(`${KERNEL}/Require`, RequireRequestSchema, RequireResponseSchema, ({ services }) => {
      said.push(services);
      return {};
    });
  });
  expect(said).toEqual([
    "pantry",
    ["pantry.v1.PantryService", "names.v1.NamesService", "pantry.v1.MirrorService"],
    ["kitchen.v1.StoreService"],
  ]);
  const kernelCalls = host.log
    .filter((line) => line.startsWith("call"))
    .map((line) => line.split(" ")[1]);
  expect(kernelCalls).toEqual(
    ["Register", "Export", "Require", "Launch"].map((name) => `${KERNEL}/${name}`),
  );
  const order = [`${KERNEL}/Export`, "pantry.v1.PantryService/KeepLegacy", `${KERNEL}/Require`];
  const places = order.map((name) => host.bound.indexOf(name));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places).not.toContain(-1);
});

test.each(["Register", "Require", "Launch"])(
  "where %s fails the guest exits with 1 and says why",
  async (step) => {
    const { host, exits } = hostFor([]);
    host.methods.set(`${KERNEL}/${step}`, () => failure(9, "a requires b requires a"));
    await expect(host.start(await guestModule("commander"))).rejects.toThrow(GuestExit);
    expect(exits).toEqual([[1, "FAILED_PRECONDITION: a requires b requires a"]]);
  },
);

test("a guest that may not serve its own methods exits with 1 and says which", async () => {
  const { host, exits } = hostFor([]);
  host.refused.set("kitchen.v1.KitchenService/Cook", 7);
  await expect(host.start(await guestModule("kitchen"))).rejects.toThrow(GuestExit);
  expect(exits).toEqual([
    [
      1,
      "PERMISSION_DENIED: cannot bind the methods of kitchen.v1.KitchenService: PERMISSION_DENIED",
    ],
  ]);
});

test("a command returns from its start function when main returns", async () => {
  const { host, exits } = hostFor(["return"]);
  await host.start(await guestModule("commander"));
  expect(exits).toEqual([]);
});

test("exit gives code and reason, and does not return", async () => {
  const { host, exits } = hostFor(["exit", "ö", ""]);
  await expect(host.start(await guestModule("commander"))).rejects.toThrow(GuestExit);
  expect(exits).toEqual([[7, "exit ö "]]);
});

test("without a kernel it cannot exit, and its last words are the reason", async () => {
  const host = new PlainHost();
  for (const name of ["Arguments", "Exit", "Launch", "Register"])
    host.refused.set(`${KERNEL}/${name}`, 5);
  await expect(host.start(await guestModule("commander"))).rejects.toThrow("unreachable");
  expect(host.abortMessage()).toContain("it cannot exit (NOT_FOUND: ");
  expect(host.abortMessage()).toContain("): NOT_FOUND: ");
});

test("after launch the kernel answers who is here", async () => {
  const { host, exits } = hostFor([]);
  host.typed(`${KERNEL}/Services`, ServicesRequestSchema, ServicesResponseSchema, () => ({
    services: [{ name: "a.v1.A" }, { name: "b.v1.B" }],
  }));
  await expect(host.start(await guestModule("commander"))).rejects.toThrow(GuestExit);
  expect(exits).toEqual([[2, ""]]);
});

test("arguments that the kernel does not give are none", async () => {
  const { host, exits } = hostFor([]);
  host.methods.set(`${KERNEL}/Arguments`, () => failure(9, "no guest"));
  host.methods.set(`${KERNEL}/Services`, () =>
    toBinary(ServicesResponseSchema, create(ServicesResponseSchema)),
  );
  await expect(host.start(await guestModule("commander"))).rejects.toThrow(GuestExit);
  expect(exits).toEqual([[0, ""]]);
});
