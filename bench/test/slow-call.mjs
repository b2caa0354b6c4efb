/**
 * A mutant: makes the way of a call slower by so many turns of a loop (SLOWER). It is loaded before the program with
 * `--import`, and puts the loop at the beginning of `call` in the endpoint of the ABI.
 */
import { registerHooks } from "node:module";

const head = /^( {2}call\([^)]*\): number \{)$/ms;

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith("/packages/abi/src/endpoint.ts")) return loaded;
    const source = String(loaded.source);
    if (!head.test(source)) throw new Error("the mutant does not find call in endpoint.ts");
    const loop = `let slow = 0; for (let i = 0; i < ${Number(process.env.SLOWER)}; i++) slow = (slow * 31 + i) | 0; globalThis.slow = slow;`;
    return { ...loaded, source: source.replace(head, `$1 ${loop}`) };
  },
});
