import { create } from "@bufbuild/protobuf";
import { type CallRecord, defineBackend } from "@dropthrough/dispatch";
import { echo, EchoService, inMemory } from "@dropthrough/dispatch/testing";
import { traceTo } from "dropthrough";
import { expect, test } from "vitest";
import { DeploymentFolder, untimed } from "./deployment-folder.ts";
import { caller, ECHO, ECHO_GRANTS, echoRequest } from "./guests.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is traced of calls to a backend. */
async function traced(
  calls: (client: ReturnType<ReturnType<typeof inMemory<typeof EchoService>>["client"]>) => unknown,
  backend = echo(),
): Promise<string> {
  await using memory = inMemory(backend);
  let text = "";
  using _ = memory.registry.observe(traceTo({ write: (chunk) => (text += chunk) }));
  await calls(memory.client());
  return untimed(text);
}

test("an answer names its call where others came between, and twins are numbered", async () => {
  const trace = await traced((client) =>
    Promise.all([
      client.echo({ payload: bytes("slow"), delayMs: 100 }),
      client.echo({ payload: bytes("quick"), delayMs: 5 }),
      client.forward({ payload: bytes("other") }),
    ]),
  );
  expect(trace).toBe(
    `==> test ${ECHO}/Echo {"payload":"slow","delay_ms":100}
==> test ${ECHO}/Echo #2 {"payload":"quick","delay_ms":5}
==> test ${ECHO}/Forward {"payload":"other"}
<== OK {"payload":"other"} T
<== OK {"payload":"quick"} T ${ECHO}/Echo #2
<== OK {"payload":"slow"} T ${ECHO}/Echo
`,
  );
});

test("a number is not needed once the twin has ended", async () => {
  const trace = await traced(async (client) => {
    await client.echo({});
    await client.echo({});
  });
  expect(trace).toBe(`==> test ${ECHO}/Echo {}\n<== OK {} T\n`.repeat(2));
});

test("what is long between guests is shown by its size, and not decoded by what they say of it", () => {
  const shown = (length: number): string => {
    // One field of bytes, its length in three bytes.
    const request = new Uint8Array(length).fill(97);
    request.set([
      0x0a,
      ((length - 4) & 127) | 128,
      (((length - 4) >> 7) & 127) | 128,
      (length - 4) >> 14,
    ]);
    let text = "";
    const target = { desc: EchoService.method.echo };
    const call = { name: "x.v1.S/Echo", caller: { name: "g" }, target, request, depth: 0 };
    traceTo({ write: (chunk) => (text += chunk) }).started?.(call as unknown as CallRecord);
    return text;
  };
  expect(shown(16_385)).toBe("==> g x.v1.S/Echo <16385 bytes>\n");
  expect(shown(16_384)).toContain('{"payload":"aaa');
});

test("bytes that are no text are shown as hexadecimal, and long ones by their size", async () => {
  const trace = await traced(async (client) => {
    await client.forward({ payload: Uint8Array.of(0, 255) });
    await client.forward({ payload: bytes("x".repeat(1234)) });
  });
  expect(trace).toContain(`/Forward {"payload":"0x00ff"}\n`);
  expect(trace).toContain(`/Forward {"payload":"${"x".repeat(24)}… 1234 bytes"}\n`);
});

test("nothing that a guest sends can drive the terminal or forge a line", async () => {
  const message = "\u001b]0;x\u0007\u009b2J\u202e\u2028\n<== OK";
  const trace = await traced(async (client) => {
    await client.echo({ code: 5, message, payload: bytes("\u009b\n") }).catch(() => {});
  });
  // oxlint-disable-next-line no-control-regex
  expect(trace).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  expect(trace.trimEnd().split("\n")).toHaveLength(2);
  expect(trace).toContain(`<== NOT_FOUND "\\u001b]0;x\\u0007\\u009b2J\\u202e\\u2028\\n<== OK" T\n`);
});

test("a long reason is cut", async () => {
  const trace = await traced(async (client) => {
    await client.echo({ code: 5, message: "x".repeat(10_000) }).catch(() => {});
  });
  expect(trace).toContain(`<== NOT_FOUND "${"x".repeat(500)}…" T\n`);
});

test("an answer that is no message is shown as such, and does not harm the call", async () => {
  const circle: object[] = [];
  circle.push(circle);
  const backend = defineBackend({
    name: "garbage",
    service: EchoService,
    impl: {
      echo: () => Object.assign(create(EchoService.method.echo.output), { payload: circle }),
    },
  });
  let payload: unknown;
  const trace = await traced(async (client) => ({ payload } = await client.echo({})), backend);
  expect(trace).toBe(
    `==> test ${ECHO}/Echo {}\n<== OK <no ${EchoService.method.echo.output.typeName}> T\n`,
  );
  expect(payload).toBe(circle);
});

test("a refused name is shown with its reason", async () => {
  using folder = new DeploymentFolder();
  const module = folder.guest("a", caller(echoRequest()));
  const { stderr } = await folder.dropthrough([
    "run",
    folder.config("refused", [{ name: "a", module }]),
    "--trace",
  ]);
  expect(stderr).toContain(
    `==> a bind "${ECHO}/Echo"\n<== PERMISSION_DENIED "a was not granted ${ECHO}/Echo: add it to the grants of a"\n`,
  );
  const failing = folder.guest("b", caller(echoRequest({ code: 5, message: "no" })));
  const config = folder.config("fails", [{ name: "b", module: failing, grants: ECHO_GRANTS }]);
  const { stderr: trace } = await folder.dropthrough(["run", config, "--trace"]);
  expect(untimed(trace)).toContain(
    `==> b ${ECHO}/Echo {"code":5,"message":"no"}\n<== NOT_FOUND "no" T\n`,
  );
});
