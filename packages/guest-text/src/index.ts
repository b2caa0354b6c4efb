/**
 * Small guests for tests, written as WebAssembly text.
 *
 * @packageDocumentation
 */
export { type BrokenManifest, brokenManifests } from "./broken-manifests.ts";
export { GuestText } from "./guest-text.ts";
export { wat } from "./wat.ts";
export { withManifest } from "./with-manifest.ts";
