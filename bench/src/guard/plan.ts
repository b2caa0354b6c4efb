/** The cases whose instructions are counted. */
export const GUARDED: readonly string[] = ["call.echo64", "call.get"];

/** Calls of each case before anything counts: by then the engine has compiled all that it will. */
export const WARM = 100_000;
/** Stretches of each case that are counted; the middle one is the figure, since a collection of garbage falls into some. */
export const STRETCHES = 5;
/** Calls in a stretch. */
export const CALLS = 4000;
/** Marks after the last stretch. */
export const MARK_ENDS = 1;
/** A call may take so much more than what was committed. */
export const WORSE = 0.1;
