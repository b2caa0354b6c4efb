import { Code, createClient } from "@connectrpc/connect";
import { callerOf, defineBackend, type Incident } from "@dropthrough/dispatch";
import { EchoService } from "@dropthrough/dispatch/testing";
import { GuestText } from "@dropthrough/guest-text";
import { describe, expect, test } from "vitest";
import { createHost } from "../src/index.ts";
import { SeededScheduler } from "../src/testing.ts";
import { ECHO, echoRequest, FACADE } from "./control.ts";
import { ALL, command, facade, facadeService, failure, say, start } from "./deployment.ts";

const bug = new Error("of onExit");
function raise(error: Error): never {
  throw error;
}

describe("a graceful exit", () => {
  test("ends when a guest with an event loop has replied to a caller that had left", async () => {
    const g = new GuestText();
    // It calls for itself when it starts, and replies to the call that it serves when that is done.
    const module = g.module(`
      (global $serving (mut i32) (i32.const 0))
      (func (export "_initialize")
        ${say(g, `export ${FACADE}`)} (drop ${g.bind(`${FACADE}/Echo`)}) ${say(g, "launch")}
        (drop ${g.call(ECHO, echoRequest("", { delayMs: 400 }))}))
      (func (export "dropthrough_v1_serve") (param $call i32) (param $method i32) (param $len i32) (local $w i32)
        (global.set $serving (local.get $call)))
      (func (export "dropthrough_v1_done") (param $out i32) (param $word i32)
        (drop (call $reply (global.get $serving) (i32.const 0) (i32.const 0) (i32.const 0))))`);
    await using host = start([{ name: "loop", module, exports: [FACADE] }]);
    await host.start();
    const client = createClient(facadeService, host.transport);
    const left = await failure(client.echo({}, { timeoutMs: 50 }));
    expect(left.code).toBe(Code.DeadlineExceeded);
    // The test would end before the grace period does.
    const [exit] = await host.exit("loop", { graceMs: 600_000 });
    expect(exit).toMatchObject({ guest: "loop", code: 0 });
  });
});

describe("a command that catches what unwinds it", () => {
  const caught = (body: (g: GuestText) => string): Uint8Array<ArrayBuffer> =>
    command((g) => `(try (do ${body(g)}) (catch_all))`);

  test("ends with the code that it had asked for", async () => {
    await using host = start([{ name: "main", module: caught((g) => say(g, "exit 3")) }]);
    await host.start();
    expect(await host.exited).toMatchObject({ code: 3, reason: "by request" });
  });

  test("ends with the code of whoever asked it to exit", async () => {
    const module = caught((g) => g.must(ECHO, echoRequest("", { delayMs: 60_000 })));
    await using host = start([{ name: "main", module }]);
    await host.start();
    const [exit] = await host.exit("main", { code: 7, reason: "enough", graceMs: 10 });
    expect(exit).toMatchObject({ code: 7, reason: "enough" });
  });
});

describe("host.shutdown", () => {
  test("ends a thousand instances that one guest requires", async () => {
    const g = new GuestText();
    const user = g.module(`(func (export "_initialize") ${say(g, `require ${FACADE}`)})`);
    await using host = start([
      { name: "facade", module: facade(() => ""), exports: [FACADE], instances: 1_000 },
      { name: "user", module: user },
    ]);
    await host.start();
    expect(await host.shutdown()).toHaveLength(1_001);
  });
});

describe("host.exited", () => {
  test("settles when the host is disposed before its guests are there", async () => {
    const host = createHost();
    await host[Symbol.asyncDispose]();
    expect(await host.exited).toEqual({
      guest: "host",
      instance: 0,
      code: 0,
      reason: "the host is closing",
    });
    const loading = start([{ name: "facade", module: facade(() => ""), exports: [FACADE] }]);
    const started = loading.start();
    await loading[Symbol.asyncDispose]();
    await started;
    expect(await loading.exited).toMatchObject({ guest: "host", instance: 0 });
  });

  test("settles when the host is disposed after a crash, before or after the guest has started again", async () => {
    const ends = new Set<number>();
    for (let seed = 0; seed < 30; seed++) {
      const clock = new SeededScheduler(seed);
      const module = facade(() => "unreachable");
      const host = start([{ name: "facade", module, exports: [FACADE] }], { clock });
      await clock.run(host.start());
      const client = createClient(facadeService, host.transport);
      await clock.run(failure(client.echo({})));
      await clock.run(host[Symbol.asyncDispose]());
      const { code } = await clock.run(host.exited);
      ends.add(code);
    }
    // Both were met: it had crashed and not started again, and it was running when the host was disposed.
    expect(ends).toEqual(new Set([0, 253]));
  });
});

describe("a host", () => {
  test("is started once", async () => {
    await using host = start([{ name: "facade", module: facade(() => ""), exports: [FACADE] }]);
    await host.start();
    await expect(host.start()).rejects.toThrow("the host was started already: make another one");
  });

  test("makes all instances of a guest known at once", async () => {
    let changes = 0;
    const watching = defineBackend({
      name: "watching",
      service: EchoService,
      impl: {},
      attach: (directory) => void directory.watch(() => changes++),
    });
    const module = new GuestText().module(`(func (export "_initialize"))`);
    await using host = createHost({
      backends: [watching],
      guests: [{ name: "many", module, instances: 100 }],
    });
    await host.start();
    // The rest are their launches.
    expect(changes).toBe(1 + 100);
  });

  test("that a backend does not want has exited when it is disposed", async () => {
    const unwilling = defineBackend({
      name: "unwilling",
      service: EchoService,
      impl: {},
      attach: () => raise(bug),
    });
    const host = createHost({
      backends: [unwilling],
      guests: [{ name: "main", module: command(() => "") }],
    });
    await expect(host.start()).rejects.toThrow(bug);
    await host[Symbol.asyncDispose]();
    expect(await host.exited).toMatchObject({ guest: "host" });
  });

  test("of two main guests starts none", async () => {
    const module = facade(() => "");
    const host = start([
      { name: "a", module, exports: [FACADE], main: true },
      { name: "b", module, main: true },
    ]);
    await expect(host.start()).rejects.toThrow('"a" and "b" are both main: keep one');
    expect(await host.shutdown()).toEqual([]);
    await host[Symbol.asyncDispose]();
    expect(await host.exited).toMatchObject({ guest: "host" });
  });

  test("that is disposed twice is closed when either is done", async () => {
    const log: string[] = [];
    const host = start(
      [
        {
          name: "facade",
          module: command(
            (g) =>
              `${say(g, "open")} (drop (call $finish ${g.call(ECHO, echoRequest("", { delayMs: 60_000 }))}))`,
          ),
        },
      ],
      { log },
    );
    await host.start();
    void host[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
    expect(log).toEqual(["facade closed"]);
  });

  test.each<[string, () => unknown]>([
    ["throws", () => raise(bug)],
    ["rejects", async () => raise(bug)],
  ])("ends though whoever is told how its guests ended %s", async (_, onExit) => {
    const incidents: Incident[] = [];
    const onIncident = (incident: Incident): void => void incidents.push(incident);
    await using host = start([{ name: "main", module: command(() => "") }], { onExit, onIncident });
    await host.start();
    expect(await host.exited).toMatchObject({ guest: "main", code: 0 });
    await expect.poll(() => incidents).toMatchObject([{ error: bug }]);
  });

  test("ends, and with it a guest, though something that the guest opened is never closed", async () => {
    const closed: string[] = [];
    const incidents: Incident[] = [];
    const stuck = defineBackend({
      name: "stuck",
      service: EchoService,
      impl: {
        echo(_, context) {
          callerOf(context).defer(() => void closed.push("the first"));
          callerOf(context).defer(async () => new Promise(() => {}));
          return {};
        },
      },
    });
    const host = createHost({
      backends: [stuck],
      guests: [{ name: "main", module: command((g) => g.must(ECHO)), grants: ALL }],
      limits: { closeMs: 20 },
      onIncident: (incident) => void incidents.push(incident),
    });
    await host.start();
    expect(await host.exited).toMatchObject({ guest: "main", code: 0 });
    await host[Symbol.asyncDispose]();
    expect(closed).toEqual(["the first"]);
    expect(incidents).toMatchObject([
      { error: { message: "what main had opened was not closed within 20 ms" } },
    ]);
  });

  test("closes its backends though something that the program opened cannot be closed", async () => {
    const closed: string[] = [];
    const failing = defineBackend({
      name: "failing",
      service: EchoService,
      impl: {
        echo(_, context) {
          callerOf(context).defer(async () => Promise.reject(new Error("stuck")));
          return {};
        },
      },
      [Symbol.asyncDispose]: async () => void closed.push("failing"),
    });
    const host = createHost({ backends: [failing] });
    await createClient(EchoService, host.transport).echo({});
    await expect(host[Symbol.asyncDispose]()).rejects.toThrow("stuck");
    expect(closed).toEqual(["failing"]);
  });
});
