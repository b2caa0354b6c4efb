import { readFile } from "node:fs/promises";
import { readGuestModule } from "@dropthrough/abi";
import type { GuestConfig } from "@dropthrough/host";

/**
 * The guest whose exit code is that of the deployment: the one marked `main`, else the only command. Undefined if there is none
 * such, or no module could be read to tell.
 */
export async function mainGuest(guests: readonly GuestConfig[]): Promise<GuestConfig | undefined> {
  const chosen = guests.filter((guest) => guest.main === true);
  if (chosen.length > 0) return chosen[0];
  const commands = await Promise.all(guests.map(isCommand));
  const found = guests.filter((_, at) => commands[at]);
  return found.length === 1 ? found[0] : undefined;
}

async function isCommand({ module }: GuestConfig): Promise<boolean> {
  try {
    const bytes = module instanceof Uint8Array ? module : await readFile(module);
    return readGuestModule(bytes).kind === "command";
  } catch {
    // Whoever loads it says why.
    return false;
  }
}
