/**
 * Exit codes of the command. A guest's own lie in 0-192 and are passed on as they are, so these all lie above, but for the two that shells
 * take for signals; 251 to 254 are the host's (packages/host, "Exit codes").
 */

/** The deployment cannot be run: its configuration or one of its guests cannot be used. */
export const EXIT_UNUSABLE = 193;
/** The command line makes no sense. */
export const EXIT_USAGE = 194;
/** Every guest waits, and nothing is left in the process that could wake one. */
export const EXIT_STUCK = 195;
/** Dropthrough itself, a backend or the configuration threw where nothing may: a bug. */
export const EXIT_BUG = 196;
/** Ended by SIGINT (128 + 2). */
export const EXIT_INTERRUPTED = 130;
/** Ended by SIGTERM (128 + 15). */
export const EXIT_TERMINATED = 143;
