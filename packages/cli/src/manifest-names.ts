import { cut } from "./label.ts";

/** As many as the kernel lets a guest require, and export. */
export const MOST_SERVICES = 256;
/** As long as the kernel lets a name be, in letters. */
export const MOST_LETTERS = 256;

/**
 * The services that a manifest names, as far as its guest may have them: a manifest is hostile, and can name millions.
 *
 * @param tell is told how many are left out, if any are
 */
export function manifestNames(
  names: readonly string[],
  tell: (count: string) => void,
): readonly string[] {
  if (names.length > MOST_SERVICES) {
    tell(
      `${names.length} services, more than the ${MOST_SERVICES} that it may: the rest is left out`,
    );
  }
  return names.slice(0, MOST_SERVICES).map((name) => cut(name, MOST_LETTERS));
}
