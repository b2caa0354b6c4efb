const NO_LUA = "the embedded engine has no Lua";

const UNKNOWN_KEYS =
  "where nobody knows the keys of a command, it is refused before the server sees it";

/** The rules that a target does not keep, each with the reason. The list may only shrink. */
export const exceptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  embedded: {
    "a script of the operator runs by its name": NO_LUA,
    "a script of the guest runs, is loaded on demand, and answers a typed value": NO_LUA,
    "a script that fails answers INVALID_ARGUMENT, one that is not there NOT_FOUND": NO_LUA,
  },
  isolated: {
    "a command that the server does not have answers UNIMPLEMENTED": UNKNOWN_KEYS,
  },
  cluster: {
    "a command that the server does not have answers UNIMPLEMENTED": UNKNOWN_KEYS,
  },
};
