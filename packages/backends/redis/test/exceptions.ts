/** The rules that a target does not keep, each with the reason. The list may only shrink. */
export const exceptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  embedded: {},
  server: {},
};
