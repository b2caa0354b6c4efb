import { Code } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { createRegistry, defineBackend, LocalCaller } from "../src/index.ts";
import { EchoService } from "../src/testing.ts";
import { failure } from "./session-over.ts";

const throws = (): unknown => {
  throw new Error("of onIncident");
};
const rejects = async (): Promise<unknown> => Promise.reject(new Error("of onIncident"));

test.each<[string, () => unknown]>([
  ["throws", throws],
  ["rejects", rejects],
])(
  "an onIncident that %s changes nothing for the call, and both errors are told",
  async (_, onIncident) => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    const registry = createRegistry({ onIncident });
    const bug = new Error("the bug");
    registry.use(
      defineBackend({
        name: "echo",
        service: EchoService,
        impl: {
          echo: () => {
            throw bug;
          },
          forward: async () => {
            await Promise.resolve();
            throw bug;
          },
        },
      }),
    );
    const session = registry.connect(new LocalCaller("p"));
    for (const method of [EchoService.method.echo, EchoService.method.forward]) {
      const call = await failure(session.unary(method, {}));
      expect(call.code).toBe(Code.Internal);
      expect(call.rawMessage).toMatch(
        /^internal error in "echo"; the operator's log has it as incident-[0-9a-f]{8}$/,
      );
    }
    await expect.poll(() => told).toHaveBeenCalledTimes(4);
    expect(told.mock.calls.flat()).toContain(bug);
    told.mockRestore();
  },
);
