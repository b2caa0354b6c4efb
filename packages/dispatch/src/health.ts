import type { Backend, Health } from "./backend.ts";
import type { Clock } from "./guest.ts";

/** How one of several backends is. */
export interface BackendHealth extends Health {
  /** The name of the backend, such as `redis`. */
  readonly name: string;
  /** The full name of its service. */
  readonly service: string;
}

/** A backend that can say how it is. */
export type Examined = Backend & Required<Pick<Backend, "health">>;

/** Asks a backend how it is. One that fails to say so, or takes longer than `timeoutMs` milliseconds, is not ok. Never rejects. */
export async function healthOf(
  backend: Examined,
  timeoutMs: number,
  clock: Clock,
): Promise<BackendHealth> {
  const whose = { name: backend.name, service: backend.service.typeName };
  const ask = async (): Promise<Health> => backend.health();
  const late = Promise.withResolvers<Health>();
  const cancel = clock.after(timeoutMs, () => {
    late.resolve({ ok: false, message: `did not say how it is within ${timeoutMs} ms` });
  });
  try {
    // What is no health, as of a backend without types, is not taken for good.
    const { ok, message } = await Promise.race([ask(), late.promise]);
    return { ok: (ok as unknown) === true, ...(message !== undefined && { message }), ...whose };
  } catch (error) {
    return { ok: false, message: `failed to say how it is: ${String(error)}`, ...whose };
  } finally {
    cancel();
  }
}
