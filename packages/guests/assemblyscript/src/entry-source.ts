import { RUNTIME } from "./source-text.ts";

/** What the entry module of a guest is made from. */
export interface EntryOptions {
  /** The guest's own module, as the entry imports it: relative to the base folder, without `.ts`. */
  readonly module: string;
  /** Whether the guest serves calls. */
  readonly serves: boolean;
  /** Whether the guest ends when `main()` returns, and so does what is to be done at its exit then. */
  readonly command: boolean;
}

/**
 * The entry module that asc is given in place of the guest's own: it runs `main()` in the start function, where it
 * may suspend, and exports what the ABI asks for and nothing else.
 */
export function entrySource({ module, serves, command }: EntryOptions): string {
  return [
    // First: whatever comes before it may abort, and so compile `abort` before its variables are there.
    `export { dropthrough_v1_abort_ptr, dropthrough_v1_abort_len } from "${RUNTIME}/abort";`,
    `import { main } from "./${module}";`,
    ...(serves ? [`export { dropthrough_v1_serve } from "${RUNTIME}/serve";`] : []),
    ...(command ? [`import { runHooks } from "${RUNTIME}/hooks";`] : []),
    "main();",
    ...(command ? ["runHooks();"] : []),
    "",
  ].join("\n");
}
