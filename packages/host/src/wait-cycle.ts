import { Code, ConnectError } from "@connectrpc/connect";
import type { Call } from "@dropthrough/dispatch";

/** An instance, as far as it matters who waits for whom. */
export interface Waiter {
  readonly name: string;
  /** It asks for its calls: that it made a call does not mean that it waits for it. */
  readonly receives: boolean;
  /** The call that it waits for now, suspended. */
  readonly waitsFor: Call | undefined;
}

/** A queue of calls, as far as it matters who waits for whom. */
export interface WaitPlace {
  readonly name: string;
  /** Every instance that may take calls out of the queue. */
  takers(): readonly Waiter[];
}

/**
 * Where the calls to guests are that did not end at once: in a queue, or with an instance. What is nowhere here is a
 * backend's, and comes to an end by itself.
 */
const places = new WeakMap<Call, WaitPlace | Waiter>();

/** A call is with an instance, or in a queue. */
export function placeCall(call: Call, place: WaitPlace | Waiter): void {
  places.set(call, place);
}

/** A call is nowhere any more: it was answered. */
export function unplaceCall(call: Call): void {
  places.delete(call);
}

/** Whether an instance can take no call before this very call has ended: it made it, or one that led to it. */
export function leadsTo(instance: Waiter, call: Call): boolean {
  for (let up: Call | undefined = call; up !== undefined; up = up.parent) {
    if (up.caller !== (instance as unknown)) continue;
    if (!instance.receives || instance.waitsFor === up) return true;
  }
  return false;
}

/**
 * Finds the circle that a call closes whose caller has just begun to wait for it, and breaks it: the queued call that
 * can never be taken fails with FAILED_PRECONDITION, so that whoever made it can go on.
 *
 * ```text
 *  instance ──waits for──▶ call ──is with──▶ instance ──waits for──▶ call ──queued at──▶ instances that all wait ...
 * ```
 */
export function breakCircle(call: Call): void {
  const seen = new Set<Call>();
  if (!isStuck(call, seen)) return;
  const victim = [...seen].find((one) => queueOf(one) !== undefined);
  victim?.abort(circleError(victim.caller.name, circle(victim)));
}

/** What a call that would close a circle fails with. */
export function circleError(name: string, path: string): ConnectError {
  return new ConnectError(
    `${name} would have to answer itself: ${path}; give it more instances or break the circle`,
    Code.FailedPrecondition,
  );
}

/** Whether a call can never end. It can if anybody can go on who may come to answer it, so each call is looked at once. */
function isStuck(call: Call, seen: Set<Call>): boolean {
  if (seen.has(call)) return true;
  seen.add(call);
  const instances = takersOf(call);
  return (
    instances.length > 0 &&
    instances.every(({ waitsFor }) => waitsFor !== undefined && isStuck(waitsFor, seen))
  );
}

/** Who waits for whom, from a call on until it comes back to it: `a → b → a`. */
function circle(first: Call): string {
  const names = [first.caller.name];
  const seen = new Set<Call>();
  for (let at: Call | undefined = first; at !== undefined && !seen.has(at);) {
    seen.add(at);
    const [taker]: readonly Waiter[] = takersOf(at);
    names.push(taker?.name ?? at.target.entry.name);
    at = taker?.waitsFor;
  }
  return names.join(" → ");
}

function queueOf(call: Call): WaitPlace | undefined {
  const place = places.get(call);
  return place !== undefined && "takers" in place ? place : undefined;
}

function takersOf(call: Call): readonly Waiter[] {
  const place = places.get(call);
  if (place === undefined) return [];
  return "takers" in place ? place.takers() : [place];
}
