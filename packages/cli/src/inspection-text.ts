import { printable } from "@dropthrough/dispatch";
import type { Inspection } from "./inspect.ts";
import { shownInspection } from "./shown-inspection.ts";

/** An inspection as JSON. What the module says is escaped and bounded: it may be hostile. */
export function inspectionJson(it: Inspection): string {
  return printable(JSON.stringify(shownInspection(it), undefined, 2), "\n");
}

/** An inspection as text for people, as escaped and bounded. */
export function inspectionText(name: string, it: Inspection): string {
  return linesOf(name, it)
    .map((line) => printable(line))
    .join("\n");
}

function linesOf(name: string, inspection: Inspection): string[] {
  const it = shownInspection(inspection);
  const { minimum, maximum } = it.memory;
  const traits = [
    it.kind,
    it.serves ? "serves" : "",
    it.eventLoop ? "has an event loop" : "",
  ].filter((t) => t !== "");
  const whole = (list: string, items: readonly string[]): readonly string[] => {
    const left = it.leftOut[list];
    return left === undefined ? items : [...items, `… and ${left} more`];
  };
  const lines = [
    `${name}: a guest of ${it.abi} (${traits.join(", ")})`,
    `memory: ${minimum} pages of 64 KiB${maximum === undefined ? "" : `, at most ${maximum}`}`,
    ...section("imports", whole("imports", it.imports)),
    ...section("exports", whole("exports", it.exports)),
  ];
  if (it.manifest === undefined) return [...lines, "manifest: none"];
  const { manifest } = it;
  const services = Object.entries(manifest.services).map(
    ([service, methods]) =>
      `${service}: ${whole(`manifest.services.${service}`, methods).join(", ")}`,
  );
  return [
    ...lines,
    `manifest: ${manifest.name || "(no name)"} ${manifest.version}`.trimEnd(),
    ...section("  exports", whole("manifest.exports", manifest.exports)),
    ...section("  requires", whole("manifest.requires", manifest.requires)),
    ...section("  services", whole("manifest.services", services)),
  ];
}

function section(title: string, items: readonly string[]): string[] {
  const indent = " ".repeat(title.length - title.trimStart().length + 2);
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `${indent}${item}`)];
}
