/** WebAssembly.Suspending and promising, which the type library does not know yet. */
export const { Suspending, promising } = WebAssembly as unknown as {
  readonly Suspending: new (run: () => Promise<number>) => WebAssembly.ImportValue;
  readonly promising: (run: unknown) => (...args: number[]) => Promise<void>;
};
