/** What a build of its own needs for a guest that calls the echo service. */
export { echo, EchoService } from "@dropthrough/dispatch/testing";
export { loopGuest } from "./loop-guest.ts";
