import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { command, ECHO, echoRequest, KernelGuest, service } from "../kernel-guest.ts";
import { once, type Scenario } from "../scenario.ts";

const traps = once(() => {
  const g = new KernelGuest();
  const module = g.reactor(`${g.register()} ${g.exports("x.S")} ${g.later(1)} unreachable`);
  const client = command((c) => `${c.register()} ${c.requires("x.S")} ${c.launch()}`);
  return [
    { name: "service", module, exports: ["x.S"] },
    { name: "client", module: client },
  ];
});

const late = once(() => {
  const g = new KernelGuest();
  const start = `${g.register()} ${g.exports("x.S", { Echo: g.replySame() })} ${g.later(10)} ${g.launch()}`;
  const clients = [0, 10, 30].map((ms) => ({
    name: `client${ms}`,
    module: command(
      (c) =>
        `${c.register()} ${c.requires("x.S")} ${ms > 0 ? c.later(ms) : ""} ${c.launch()} ${c.must("x.S/Echo")}`,
    ),
  }));
  return [{ name: "service", module: g.reactor(start), exports: ["x.S"] }, ...clients];
});

const never = once(() => {
  const g = new KernelGuest();
  const hour = g.try(ECHO, echoRequest("", 3_600_000));
  const module = g.reactor(`${g.register()} ${g.exports("x.S")} ${hour} ${g.exit(0, "slept")}`);
  const client = command((c) => `${c.register()} ${c.requires("x.S")} ${c.launch()}`);
  return [
    { name: "lazy", module, exports: ["x.S"] },
    { name: "client", module: client },
  ];
});

const after = once(() => {
  const g = new KernelGuest();
  const require = g.call("dropthrough.kernel.v1.KernelService/Require", Buffer.from("\n\u0003x.S"));
  const module = g.command(`${g.register()} ${g.launch()} (drop (call $finish ${require}))`);
  return [
    { name: "service", module: service("x.S"), exports: ["x.S"] },
    { name: "client", module },
  ];
});

const twice = once(() => {
  const g = new KernelGuest();
  const module = g.reactor(
    `${g.register()} ${g.exports("x.S", { Echo: g.replySame() })} ${g.exports("x.S")} ${g.launch()}`,
  );
  return [{ name: "service", module, exports: ["x.S"] }];
});

const locate = once(() => {
  const client = command(
    (g) => `${g.register()} ${g.locate("x.T")} ${g.requires("x.S")} ${g.launch()}
      ${g.locate("x.S")} ${g.must("x.S/Echo")} ${g.locate("x.T")}`,
  );
  return [
    { name: "s", module: service("x.S"), exports: ["x.S"] },
    { name: "t", module: service("x.T"), exports: ["x.T"] },
    { name: "client", module: client },
  ];
});

/** What Launch, Export, Require and Locate answer before, during and after. */
export const launching: readonly Scenario[] = [
  {
    name: "trap-while-starting",
    claim:
      "who requires an exporter that traps while starting is told, once it is not started again",
    guests: () => traps(),
    limits: { restarts: 2 },
    expect({ exits, codes, launched }) {
      const ends = exits.filter((exit) => exit.guest === "service").map((exit) => exit.code);
      assert.deepEqual(ends, [253, 253, 253]);
      assert.deepEqual(codes("client", "Launch"), [Code.Unavailable]);
      assert.deepEqual(launched, []);
    },
  },
  {
    name: "before-during-after",
    claim: "a client may launch before, during and after its service",
    guests: () => late(),
    expect({ launched, exits, codes }) {
      assert.equal(launched[0], "service1");
      assert.deepEqual(
        codes("client", "x.S/Echo").filter((code) => code !== 0),
        [],
      );
      assert.deepEqual(
        exits.map((exit) => exit.code),
        [0, 0, 0],
      );
    },
  },
  {
    name: "never-launches",
    claim:
      "who requires a guest that never launches gets DEADLINE_EXCEEDED, with who waits for whom",
    guests: () => never(),
    expect({ codes, messages }) {
      assert.deepEqual(codes("client", "Launch"), [Code.DeadlineExceeded]);
      assert.deepEqual(messages("client", "Launch"), [
        "client could not start within 5000 ms: client waits for x.S of lazy; lazy has not called Launch",
      ]);
    },
  },
  {
    name: "require-after-launch",
    claim: "Require after Launch is FAILED_PRECONDITION",
    guests: () => after(),
    expect({ codes }) {
      assert.deepEqual(codes("client", "Require"), [Code.FailedPrecondition]);
    },
  },
  {
    name: "export-twice",
    claim: "to export twice is to export once",
    guests: () => twice(),
    async act(play) {
      await play.schedule.run(play.client("x.S").echo({}));
    },
    expect({ codes, host }) {
      assert.deepEqual(codes("service", "Export"), [0, 0]);
      assert.deepEqual(codes("host", "x.S/Echo"), [0]);
      const found = host.registry.services().find((info) => info.name === "x.S");
      assert.deepEqual(found?.owners, ["service"]);
    },
  },
  {
    name: "locate",
    claim: "Locate finds what was required and runs, and nothing that was not required",
    guests: () => locate(),
    expect({ codes, exits }) {
      const { FailedPrecondition } = Code;
      assert.deepEqual(codes("client", "Locate"), [FailedPrecondition, 0, FailedPrecondition]);
      assert.deepEqual(
        exits.map((exit) => exit.code),
        [0],
      );
    },
  },
];
