/**
 * Small guests for tests, written as WebAssembly text.
 *
 * @packageDocumentation
 */
export { GuestText } from "./guest-text.ts";
export { wat } from "./wat.ts";
