import type { HandlerContext } from "@connectrpc/connect";
import { type Backend, callerOf, type Directory, defineBackend } from "@dropthrough/dispatch";
import { kernel, KernelService } from "@dropthrough/kernel";

type Launch = (request: unknown, context: HandlerContext) => object | Promise<object>;

/** The real kernel with another Launch. */
function withLaunch(
  make: (real: Launch, directory: () => Directory | undefined) => Launch,
): () => Backend {
  return () => {
    const real = kernel();
    let directory: Directory | undefined;
    const impl = real.impl as Record<string, Launch>;
    const entries = KernelService.methods.map(({ localName }): [string, Launch] => [
      localName,
      (request, context) => impl[localName]?.(request, context) ?? {},
    ]);
    const methods = Object.fromEntries(entries);
    const launch = make(methods["launch"] as Launch, () => directory);
    return defineBackend({
      ...real,
      impl: { ...methods, launch },
      attach: (given) => {
        directory = given;
        real.attach?.(given);
      },
    });
  };
}

/** Kernels that are broken on purpose: some seed has to find each of them. */
export const mutants: Readonly<Record<string, () => Backend>> = {
  /** Launch does not wait. */
  eager: withLaunch(() => (_, context) => {
    callerOf(context).guest?.launch();
    return {};
  }),
  /** Launch waits for one of what is required, not for all: right in many orders. */
  hasty: withLaunch((real, directory) => (request, context) => {
    const { guest } = callerOf(context);
    const running =
      directory()
        ?.services()
        .filter((service) => service.running > 0) ?? [];
    if (guest === undefined || !running.some(({ name }) => guest.required.has(name)))
      return real(request, context);
    guest.launch();
    return {};
  }),
};
