import { ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";

/** What a call that has to fail failed with. */
export async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  return promise.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => ConnectError.from(error),
  );
}

/** Lets promises that can settle do so. */
export async function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
