import { expect, test, vi } from "vitest";
import peers from "../src/peers.bench.ts";
import { echoGuest } from "../src/peers/echo-guest.ts";
import scale from "../src/scale.bench.ts";
import start from "../src/start.bench.ts";
import { idleModule } from "../src/start/idle-guest.ts";

vi.setConfig({ testTimeout: 120_000 });

// The guests trap where what comes back is not what they sent, so a sample that ends is an echo that works.
test.each([...peers, ...start, ...scale].map((maker) => [maker.name, maker] as const))(
  "%s: both sides do what they are measured by",
  async (_name, maker) => {
    const { subject, baseline, close } = await maker.make();
    expect(await subject(3)).toEqual(expect.any(Number));
    expect(await baseline?.(3)).toEqual(expect.any(Number));
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

test("the idle guest has 30 KB", () => {
  expect(Math.round(idleModule.length / 1000)).toBe(30);
});
