import { readGuestModule } from "@dropthrough/abi";
import {
  DEFAULT_LIMITS,
  type GuestConfig,
  type HostLimits,
  limitsOf,
  readModule,
} from "@dropthrough/host";

/**
 * The guest whose exit code is that of the deployment: the one marked `main`, else the only command. Undefined if there is none
 * such, or no module could be read to tell.
 */
export async function mainGuest(
  guests: readonly GuestConfig[],
  limits: Partial<HostLimits> = {},
): Promise<GuestConfig | undefined> {
  const chosen = guests.filter((guest) => guest.main === true);
  if (chosen.length > 0) return chosen[0];
  const commands = await Promise.all(guests.map(async (guest) => isCommand(guest, limits)));
  const found = guests.filter((_, at) => commands[at]);
  return found.length === 1 ? found[0] : undefined;
}

async function isCommand(guest: GuestConfig, limits: Partial<HostLimits>): Promise<boolean> {
  try {
    const { moduleBytes } = limitsOf(limitsOf(DEFAULT_LIMITS, limits), guest.limits);
    return readGuestModule(await readModule(guest.module, moduleBytes)).kind === "command";
  } catch {
    // Whoever loads it says why.
    return false;
  }
}
