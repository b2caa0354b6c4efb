import { type Backend, defineBackend } from "@dropthrough/dispatch";
import { echo, EchoService } from "@dropthrough/dispatch/testing";
import { type Config, run } from "dropthrough";
import { beforeEach, expect, test } from "vitest";
import { caller, ECHO_GRANTS } from "./guests.ts";

let closed: string[] = [];
beforeEach(() => void (closed = []));

/** A backend that tells of its end. */
function telling(name = "telling", fails?: string): Backend {
  return defineBackend({
    name,
    service: EchoService,
    impl: { echo: () => ({}), forward: () => ({}) },
    async [Symbol.asyncDispose]() {
      closed.push(name);
      if (fails !== undefined) throw new Error(fails);
    },
  });
}

const guest = { name: "a", module: caller(), grants: ECHO_GRANTS };

test.each([
  ["it has run", { guests: [guest] }, {}, 0],
  ["it was interrupted before it began", { guests: [guest] }, { signal: AbortSignal.abort() }, 130],
])("a run closes the backends of its configuration when %s", async (_, config, options, code) => {
  expect(await run({ ...config, backends: [telling()] }, options)).toBe(code);
  expect(closed).toEqual(["telling"]);
});

const module = new Uint8Array([1, 2, 3]);
test.each<[string, Config, string]>([
  ["it has no guest", {}, "the deployment has no guest"],
  ["nobody takes its arguments", { guests: [{ ...guest, module }] }, "no guest is main"],
  ["a guest cannot be loaded", { guests: [{ ...guest, module }] }, 'guest "a"'],
  ["two guests have one name", { guests: [guest, guest] }, 'two guests are named "a"'],
  ["an option is wrong", { guests: [guest], limits: { depth: Number.NaN } }, "limits.depth"],
])("a run closes them, too, when %s", async (what, config, message) => {
  const args = what.includes("arguments") ? ["one"] : [];
  await expect(run({ ...config, backends: [telling()] }, { args })).rejects.toThrow(message);
  expect(closed).toEqual(["telling"]);
});

test("a run closes all of them, the last first, when two own one service, and says which does not close", async () => {
  const lines: string[] = [];
  const backends = [telling("first"), telling("second", "stuck"), echo()];
  const report = (line: string): void => void lines.push(line);
  await expect(run({ guests: [guest], backends }, { report })).rejects.toThrow("has two owners");
  expect(closed).toEqual(["second", "first"]);
  expect(lines).toEqual(["backend second cannot be closed: stuck"]);
});
