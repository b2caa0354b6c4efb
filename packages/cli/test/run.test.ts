import { defineBackend } from "@dropthrough/dispatch";
import { echo, EchoService } from "@dropthrough/dispatch/testing";
import { run, traceTo } from "dropthrough";
import { afterAll, describe, expect, test } from "vitest";
import { DeploymentFolder, untimed } from "./deployment-folder.ts";
import {
  asker,
  caller,
  client,
  ECHO,
  ECHO_GRANTS,
  echoRequest,
  environmentAsker,
  facade,
  FACADE,
  facadeDescriptors,
  idle,
} from "./guests.ts";

const folder = new DeploymentFolder();
afterAll(() => folder[Symbol.dispose]());

describe("dropthrough run", () => {
  test("runs a deployment, and traces its calls", async () => {
    const module = folder.guest("ok", caller(echoRequest({ payload: "hi" })));
    const file = folder.config("ok", [{ name: "a", module, grants: ECHO_GRANTS }]);
    const { code, stderr, stdout } = await folder.dropthrough(["run", file, "--trace"]);
    expect(untimed(stderr)).toBe(
      `==> a ${ECHO}/Echo {"payload":"hi"}\n<== OK {"payload":"hi"} T\n`,
    );
    expect([code, stdout]).toEqual([0, ""]);
  });

  test.each([
    ["as messages where its manifest has descriptors", true, '{"payload":"hi"}'],
    ["as sizes where nobody knows descriptors", false, "<4 bytes>"],
  ])("traces calls between guests %s, and what they lead to indented", async (_, known, shown) => {
    const request = echoRequest({ payload: "hi" });
    const guests = [
      {
        name: "facade",
        module: folder.guest(
          "facade",
          facade(),
          known
            ? { exports: [FACADE], requires: [ECHO], descriptors: facadeDescriptors() }
            : undefined,
        ),
        exports: [FACADE],
        grants: ECHO_GRANTS,
      },
      {
        name: "client",
        module: folder.guest("client", client(request)),
        grants: [`${FACADE}/*`],
      },
    ];
    const { code, stderr } = await folder.dropthrough([
      "run",
      folder.config("nested", guests),
      "--trace",
    ]);
    const trace = untimed(stderr);
    expect(trace.slice(trace.indexOf(`==> client ${FACADE}`))).toBe(
      `==> client ${FACADE}/Relay ${shown}
  ==> facade ${ECHO}/Echo {"payload":"hi"}
  <== OK {"payload":"hi"} T
<== OK ${shown} T
`,
    );
    expect(code).toBe(0);
  });

  test("gives its arguments to the main guest alone, behind those of the configuration", async () => {
    const guests = [
      { name: "facade", module: folder.guest("facade", facade()), exports: [FACADE] },
      { name: "main", module: folder.guest("asker", asker()), arguments: ["--first"] },
    ];
    const { stderr, code } = await folder.dropthrough([
      "run",
      folder.config("args", guests),
      "--trace",
      "--",
      "x",
      "--trace",
    ]);
    expect(untimed(stderr)).toContain('<== OK {"arguments":["--first","x","--trace"]} T\n');
    expect(untimed(stderr)).toContain("KernelService/Arguments {}\n<== OK {} T\n");
    expect(code).toBe(0);
  });

  test("gives a guest the environment of its configuration, and nothing of its own", async () => {
    const module = folder.guest("environment", environmentAsker());
    const guests = [
      { name: "a", module, environment: { TZ: "UTC" }, main: true },
      { name: "b", module },
    ];
    const file = folder.config("environment", guests);
    const { stderr, code } = await folder.dropthrough(["run", file, "--trace"]);
    expect(untimed(stderr)).toContain('<== OK {"variables":{"TZ":"UTC"}} T\n');
    expect(untimed(stderr)).toContain(
      "==> b dropthrough.kernel.v1.KernelService/Environment {}\n<== OK {} T\n",
    );
    expect(code).toBe(0);
  });

  test("finds no main guest in a module that is too large, and reads no more of it", async () => {
    const huge = { name: "a", module: "/dev/zero", limits: { moduleBytes: 1_000 } };
    const file = folder.config("huge", [huge]);
    expect(await folder.dropthrough(["run", file, "--", "x"])).toMatchObject({
      code: 193,
      stderr: expect.stringContaining("no guest is main") as string,
    });
    expect(await folder.dropthrough(["run", file])).toMatchObject({
      stderr: expect.stringContaining(
        'guest "a": its module has more than 1000 bytes, above its limit of 1000',
      ) as string,
    });
  });

  test("says so when there is no main guest to give arguments to", async () => {
    const module = folder.guest("idle", idle());
    const file = folder.config("nobody", [{ name: "a", module }]);
    expect(await folder.dropthrough(["run", file, "--", "x"])).toMatchObject({
      code: 193,
      stderr:
        'dropthrough: no guest is main, so nobody takes the arguments x: mark one with "main: true", and make sure that its module is there\n',
    });
  });

  test("goes on when nobody reads its output", async () => {
    const module = folder.guest("slow", caller(echoRequest({ delayMs: 300 })));
    const file = folder.config("deaf", [{ name: "a", module, grants: ECHO_GRANTS }]);
    const { code } = await folder.dropthrough(["run", file, "--trace"], { deaf: true });
    expect(code).toBe(0);
  });
});

describe("run", () => {
  const guests = [{ name: "a", module: caller(), grants: ECHO_GRANTS }];

  test("does not wait for a backend that never closes", async () => {
    const lines: string[] = [];
    const stays = defineBackend({
      name: "stays",
      service: EchoService,
      impl: { echo: () => ({}), forward: () => ({}) },
      [Symbol.asyncDispose]: async () => new Promise(() => {}),
    });
    const report = (line: string): void => void lines.push(line);
    const config = { backends: [stays], guests };
    expect(await run(config, { closeTimeoutMs: 20, report })).toBe(0);
    expect(lines).toEqual([
      "not all was closed within 20 ms: what a backend holds may be left behind",
    ]);
  });

  test("answers 130 when its signal was aborted before it began, and runs no guest", async () => {
    const config = {
      backends: [echo()],
      guests: [{ ...guests[0], name: "a", module: caller(echoRequest({ delayMs: 60_000 })) }],
    };
    const lines: string[] = [];
    const observers = [traceTo({ write: (line) => lines.push(line) })];
    expect(await run(config, { signal: AbortSignal.abort(), observers })).toBe(130);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(lines).toEqual([]);
  });

  test("refuses two owners of one service, and no guests at all", async () => {
    await expect(run({ backends: [echo(), echo()], guests })).rejects.toThrow(
      `${ECHO} has two owners, "echo" and "echo": plug in one of them`,
    );
    await expect(run({})).rejects.toThrow("the deployment has no guest");
  });

  test("shows calls to the observers of the configuration and to its own", async () => {
    const seen: string[] = [];
    const observer = (name: string) => ({ started: () => void seen.push(name) });
    const config = { backends: [echo()], guests, observers: [observer("configured")] };
    expect(await run(config, { observers: [observer("own")] })).toBe(0);
    expect(seen).toEqual(["configured", "own"]);
  });
});
