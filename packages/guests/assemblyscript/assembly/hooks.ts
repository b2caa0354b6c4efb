// What a guest does before it ends, in a file that imports nothing: the entry of every command runs it.

// The last one registered is the first one run.
const hooks: Array<() => void> = [];

/** The method number of the call before the end; -1 if there will be none. */
let lastCall: i32 = -1;
let asked: bool = false;

/** Adds what is to be done before the end. */
export function addHook(hook: () => void): void {
  hooks.push(hook);
}

/** Does it, each once, in reverse order. */
export function runHooks(): void {
  while (hooks.length > 0) {
    const hook = hooks.pop();
    hook();
  }
}

/** Whether this is the method number of the call before the end. */
export function isLastCall(method: i32): bool {
  return method >= 0 && method == lastCall;
}

/** Whether the call before the end was asked for, in vain or not. */
export function askedForLastCall(): bool {
  return asked;
}

/** The kernel was asked for the call before the end, and will make it with this method number; -1: it will not. */
export function setLastCall(method: i32): void {
  asked = true;
  lastCall = method;
}
