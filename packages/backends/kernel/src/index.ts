/**
 * The kernel: which guests there are, what they export and require, and when they run. A backend like any other; all
 * that it knows of the host is `Guest` and `Directory` of `@dropthrough/dispatch`.
 *
 * @packageDocumentation
 */
import { type Backend, checkKeys, defineBackend } from "@dropthrough/dispatch";
import { KernelService } from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import { Kernel } from "./kernel.ts";
import { systemRandom } from "./random.ts";

export * from "./gen/dropthrough/kernel/v1/kernel_pb.ts";

/** How guests start, and where time and chance come from. */
export interface KernelOptions {
  /** Milliseconds, above 0, that Launch waits for what a guest requires. Default 5,000. */
  readonly startupTimeoutMs?: number;
  /** Milliseconds since 1970, for Now. Default: the host's clock, `Clock.wall`. */
  readonly wallClock?: () => number;
  /** Random bytes, exactly so many, for Random. Default: the machine's source for keys. */
  readonly random?: (length: number) => Uint8Array;
}

const OPTIONS = Object.keys({
  startupTimeoutMs: true,
  wallClock: true,
  random: true,
} satisfies Record<keyof KernelOptions, true>);

/**
 * Makes the kernel backend. One for each host.
 *
 * @throws TypeError if an option does not exist, or is out of range
 */
export function kernel(options: KernelOptions = {}): Backend<typeof KernelService> {
  checkKeys(options, OPTIONS, "kernel: ");
  const { startupTimeoutMs = 5_000, wallClock, random = systemRandom } = options;
  if (!(startupTimeoutMs > 0)) {
    throw new TypeError(
      `startupTimeoutMs is ${startupTimeoutMs}: give a number of milliseconds above 0`,
    );
  }
  const implementation = new Kernel({ startupTimeoutMs, wallClock, random });
  return defineBackend({
    name: "kernel",
    service: KernelService,
    impl: implementation,
    detached: ["receive"],
    attach: (directory) => implementation.attach(directory),
    [Symbol.asyncDispose]: async () => implementation[Symbol.dispose](),
  });
}
