import { expect, test, vi } from "vitest";
import peers from "../src/peers.bench.ts";
import { echoGuest } from "../src/peers/echo-guest.ts";

vi.setConfig({ testTimeout: 120_000 });

// The guests trap where what comes back is not what they sent, so a sample that ends is an echo that works.
test.each(peers.map((maker) => [maker.name, maker] as const))(
  "%s: both sides echo",
  async (_name, maker) => {
    const { subject, baseline, close } = await maker.make();
    expect(await subject(3)).toBeGreaterThan(0);
    expect(await baseline?.(3)).toBeGreaterThan(0);
    await close?.();
  },
);

test("the guest of the peers notices an echo that is none", () => {
  const glue = { imports: "", echo: "", exports: `(export "run" (func $run))` };
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(echoGuest(64, glue))).exports as {
    run: (times: number) => void;
  };
  expect(() => run(3)).toThrow(WebAssembly.RuntimeError);
});
