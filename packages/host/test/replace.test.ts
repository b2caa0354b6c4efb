import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { EchoService } from "@dropthrough/dispatch/testing";
import { describe, expect, test } from "vitest";
import { GuestError, type GuestExit, type Host, type HostOptions } from "../src/index.ts";
import { SeededScheduler } from "../src/testing.ts";
import { GuestText } from "@dropthrough/guest-text";
import { ECHO, echoRequest, FACADE } from "./control.ts";
import { command, facade, facadeService, failure, say, start } from "./deployment.ts";

/** A version of the facade: it waits so many milliseconds, and replies with its name. */
function version(name: string, delayMs = 1): Uint8Array<ArrayBuffer> {
  const { output } = EchoService.method.echo;
  const answer = toBinary(output, create(output, { payload: Buffer.from(name) }));
  return facade(
    (g) => `(drop (call $finish ${g.call(ECHO, echoRequest("", { delayMs }))}))
      (drop (call $reply (local.get $call) (i32.const 0) ${g.data(answer)}))`,
  );
}

/** A host whose facade is the version v1, and what its clients are answered. */
async function started(
  options: HostOptions = {},
): Promise<{ host: Host; ask: () => Promise<string>; exits: GuestExit[] }> {
  const exits: GuestExit[] = [];
  const host = start([{ name: "facade", module: version("v1"), exports: [FACADE] }], {
    onExit: (exit) => exits.push(exit),
    ...options,
  });
  await host.start();
  const client = createClient(facadeService, host.transport);
  const ask = async (): Promise<string> => Buffer.from((await client.echo({})).payload).toString();
  return { host, ask, exits };
}

/** Why a replacement was refused. */
async function refusal(replaced: Promise<void>): Promise<string> {
  const error: unknown = await replaced.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GuestError);
  return (error as GuestError).message;
}

const traps = facade(() => "", `(func $boom unreachable) (start $boom)`);

describe("host.replace", () => {
  test("under load loses nothing: thousands of calls are answered once and OK, by one version after the other", async () => {
    const { host, ask, exits } = await started();
    await using _ = host;
    const answers: string[] = [];
    let left = 3_000;
    const callers = Array.from({ length: 150 }, async () => {
      while (left-- > 0) answers.push(await ask());
    });
    while (answers.length < 500) await ask();
    await host.replace("facade", version("v2"));
    expect(await ask()).toBe("v2");
    await host.replace("facade", { module: version("v3"), instances: 2 });
    await Promise.all(callers);
    expect(answers).toHaveLength(3_000);
    expect([...new Set(answers)]).toEqual(["v1", "v2", "v3"]);
    expect(answers.lastIndexOf("v1")).toBeLessThan(answers.lastIndexOf("v2"));
    expect(exits.map(({ instance, code, reason }) => [instance, code, reason])).toEqual(
      [1, 2].map((instance) => [instance, 0, "a new version has taken its place"]),
    );
    expect(host.registry.services().find((s) => s.name === FACADE)).toMatchObject({
      owners: ["facade"],
      running: 2,
    });
  });

  test("reaches clients that bound the method before", async () => {
    const client = command(
      (c) => `${say(c, `require ${FACADE}`)}
          (if (i32.ne (call $ok ${c.call(`${FACADE}/Echo`, new Uint8Array())}) (i32.const 4)) (then unreachable))
          (drop (call $ok ${c.call(ECHO, echoRequest("", { delayMs: 50 }))}))
          (if (i32.ne (call $ok ${c.call(`${FACADE}/Echo`, new Uint8Array())}) (i32.const 5)) (then unreachable))`,
    );
    await using host = start([
      { name: "facade", module: version("v1"), exports: [FACADE] },
      { name: "client", module: client, main: true },
    ]);
    await host.start();
    await host.replace("facade", version("v20"));
    expect(await host.exited).toMatchObject({ guest: "client", code: 0 });
  });

  test("keeps the old version when the new one traps while it starts, and says why", async () => {
    const { host, ask, exits } = await started({ limits: { restarts: 0 } });
    await using _ = host;
    expect(await refusal(host.replace("facade", traps))).toBe(
      '"facade" was not replaced: the new version exited with code 253 (unreachable)',
    );
    expect(await ask()).toBe("v1");
    expect(exits.map(({ instance, code }) => [instance, code])).toEqual([[2, 253]]);
    await host.replace("facade", version("v2"));
    expect(await ask()).toBe("v2");
  });

  test("gives no instance a number that another one had, of a version that was refused too", async () => {
    const { host, ask, exits } = await started();
    await using _ = host;
    const dies = facade(
      (g) => `(drop (call $finish ${g.call(ECHO, echoRequest(""))})) unreachable`,
    );
    await refusal(host.replace("facade", traps));
    await host.replace("facade", dies);
    await expect(ask()).rejects.toThrow("crashed");
    const slow = new GuestText();
    const replaced = host.replace(
      "facade",
      slow.module(`(func (export "_initialize")
        ${say(slow, `export ${FACADE}`)}
        (drop (call $finish ${slow.call(ECHO, echoRequest("", { delayMs: 100 }))}))
        ${say(slow, "launch")})
        (func (export "dropthrough_v1_serve") (param i32 i32 i32))`),
    );
    // The old version is started again meanwhile.
    await expect(ask()).rejects.toThrow("crashed");
    await replaced;
    await host.exit("facade");
    const numbers = exits.map(({ instance }) => instance);
    expect(numbers).toEqual([...new Set(numbers)]);
  });

  test.each(["exits", "traps"])(
    "keeps the old version when the new one %s as soon as it is launched",
    async (how) => {
      const { host, ask, exits } = await started({ limits: { restarts: 0 } });
      await using _ = host;
      const g = new GuestText();
      const brief = g.module(`(func (export "_initialize")
      ${say(g, `export ${FACADE}`)}
      (drop (call $finish ${g.call(ECHO, echoRequest("", { delayMs: 20 }))}))
      ${say(g, "launch")}
      ${how === "traps" ? "unreachable" : say(g, "exit 0")})
      (func (export "dropthrough_v1_serve") (param i32 i32 i32))`);
      expect(await refusal(host.replace("facade", brief))).toContain(
        '"facade" was not replaced: the new version exited with code ',
      );
      expect(exits.map(({ instance }) => instance)).toEqual([2]);
      expect(await ask()).toBe("v1");
    },
  );

  test("leaves the old version no longer than whoever ends the host gives it", async () => {
    const module = version("v1", 10_000);
    await using host = start([{ name: "facade", module, exports: [FACADE] }]);
    await host.start();
    const client = createClient(facadeService, host.transport);
    const stuck = failure(client.echo({}));
    const replaced = host.replace("facade", version("v2"));
    expect(Buffer.from((await client.echo({})).payload).toString()).toBe("v2");
    await host.shutdown({ graceMs: 50 });
    expect((await stuck).code).toBe(Code.Aborted);
    await replaced;
  });

  test("keeps the old version when the new one is not launched in time", async () => {
    const { host, ask } = await started({ limits: { launchMs: 30 } });
    await using _ = host;
    const g = new GuestText();
    const slow = g.module(`(func (export "_initialize")
      ${say(g, `export ${FACADE}`)}
      (drop (call $finish ${g.call(ECHO, echoRequest("", { delayMs: 60_000 }))})))`);
    expect(await refusal(host.replace("facade", slow))).toBe(
      '"facade" was not replaced: the new version was not launched within 30 ms',
    );
    expect(await ask()).toBe("v1");
  });

  test("keeps the old version when the new one leaves out what another guest requires", async () => {
    const g = new GuestText();
    const user = g.module(`(func (export "_initialize") ${say(g, `require ${FACADE}`)})`);
    await using host = start([
      { name: "facade", module: version("v1"), exports: [FACADE] },
      { name: "user", module: user },
    ]);
    await host.start();
    const empty = new GuestText().module(
      `(func (export "_initialize")) (func (export "dropthrough_v1_serve") (param i32 i32 i32))`,
    );
    expect(await refusal(host.replace("facade", empty))).toBe(
      `"facade" was not replaced: the new version does not export ${FACADE}, which user requires`,
    );
    expect(host.registry.services().find((s) => s.name === FACADE)?.running).toBe(1);
  });

  test("ends the old version at its drain limit: what is left of its calls is ABORTED", async () => {
    const schedule = new SeededScheduler(1);
    const host = start([{ name: "facade", module: version("v1", 3_600_000), exports: [FACADE] }], {
      clock: schedule,
      limits: { drainMs: 2_000, defaultTimeoutMs: 0 },
    });
    await schedule.run(host.start());
    const client = createClient(facadeService, host.transport);
    const stuck = failure(client.echo({}));
    const replaced = host.replace("facade", version("v2"));
    await schedule.run(replaced);
    expect(schedule.now()).toBe(2_000);
    expect((await schedule.run(stuck)).code).toBe(Code.Aborted);
    const { payload } = await schedule.run(client.echo({}));
    expect(Buffer.from(payload).toString()).toBe("v2");
    await schedule.run(host[Symbol.asyncDispose]());
  });

  test("refuses what cannot be replaced", async () => {
    const { host } = await started();
    await using _ = host;
    expect(await refusal(host.replace("nobody", version("v2")))).toBe(
      'no guest is named "nobody", or it does not run',
    );
    expect(
      await refusal(
        host.replace(
          "facade",
          command(() => ""),
        ),
      ),
    ).toBe('"facade" was not replaced: a command ends by itself');
    expect(await refusal(host.replace("facade", new Uint8Array(8)))).toContain(
      'guest "facade": this is no WebAssembly module',
    );
    expect(await refusal(host.replace("facade", { grants: ["*"] }))).toContain('"*" is no grant');
    const first = host.replace("facade", version("v2"));
    expect(await refusal(host.replace("facade", version("v3")))).toBe(
      '"facade" is being replaced already: wait for that',
    );
    await first;
  });

  test("of the main guest moves the exit code of the host to the new version", async () => {
    const module = version("v1");
    await using host = start([{ name: "facade", module, exports: [FACADE], main: true }]);
    await host.start();
    await host.replace("facade", version("v2"));
    await host.exit("facade", { code: 7 });
    expect(await host.exited).toMatchObject({ instance: 2, code: 7 });
  });
});
