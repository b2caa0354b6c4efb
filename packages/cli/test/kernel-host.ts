import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { callerOf, callOf, defineBackend } from "@dropthrough/dispatch";
import { echo, type EchoService } from "@dropthrough/dispatch/testing";
import {
  createHost,
  type GuestConfig,
  type GuestExit,
  type Host,
  type HostOptions,
} from "@dropthrough/host";
import { kernel, type KernelOptions } from "@dropthrough/kernel";
import { expect, vi } from "vitest";
import { renamed } from "./kernel-guest.ts";

export const ECHO = "dropthrough.testing.v1.EchoService/Echo";
export const NOTE = "test.v1.NoteService/Echo";

/** A host with the kernel, the echo backend, and one that notes who said what, and on whose behalf. */
export class KernelHost implements AsyncDisposable {
  readonly host: Host;
  /** Such as `a: hello`, or `a for host: hello` where it was said on behalf of a call of the host. */
  readonly notes: string[] = [];
  readonly exits: GuestExit[] = [];
  readonly incidents: unknown[] = [];

  constructor(
    guests: readonly (Omit<GuestConfig, "module"> & { module: Uint8Array<ArrayBuffer> })[],
    options: HostOptions & { kernel?: KernelOptions } = {},
  ) {
    const { kernel: kernelOptions, backends = [], ...rest } = options;
    const note = defineBackend({
      name: "note",
      service: renamed("test.v1.NoteService"),
      impl: {
        echo: ({ payload }, context) => {
          const parent = callOf(context)?.parent;
          const onBehalf = parent === undefined ? "" : ` for ${parent.caller.name}`;
          this.notes.push(
            `${callerOf(context).name}${onBehalf}: ${Buffer.from(payload).toString()}`,
          );
          return {};
        },
      },
    });
    this.host = createHost({
      backends: [kernel(kernelOptions), echo(), note, ...backends],
      guests: guests.map((guest) => ({
        grants: ["dropthrough.testing.v1.EchoService/*", "test.v1.NoteService/*", ...SERVICES],
        ...guest,
      })),
      onExit: (exit) => void this.exits.push(exit),
      onIncident: ({ error }) => void this.incidents.push(error),
      ...rest,
    });
  }

  /** A client of the program for a service with the methods of EchoService. */
  client(service: string): Client<typeof EchoService> {
    return createClient(renamed(service), this.host.transport);
  }

  /** Waits until something was noted. */
  async noted(note: string): Promise<void> {
    await vi.waitUntil(() => this.notes.includes(note), { timeout: 30_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
    if (this.incidents.length > 0) throw new AggregateError(this.incidents, "bugs of the host");
  }
}

/** What guests of these tests may call of each other. */
const SERVICES = ["a", "b", "c", "d", "e"].map((name) => `x.${name}/*`);

/** How a call that has to fail failed, as `[code] message`. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error).message,
  );
}

/** Calls with a text, and answers the text that comes back. */
export async function ask(
  client: Client<typeof EchoService>,
  text: string,
  options: Parameters<typeof client.echo>[1] & { delayMs?: number } = {},
): Promise<string> {
  const { delayMs = 0, ...rest } = options;
  const { payload } = await client.echo({ payload: Buffer.from(text), delayMs }, rest);
  return Buffer.from(payload).toString();
}

/** Lets everything happen that waits for no time. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
