import type { DeploymentGraph, GraphNode } from "./deployment-graph.ts";
import { grantsText } from "./graph-text.ts";
import { labelLine } from "./label.ts";

/**
 * A graph as a Mermaid flowchart, as GitHub and many editors draw it: guests are round, backends are stores, a line that is
 * drawn through is a requirement, a dotted one a grant alone.
 */
export function graphMermaid({ nodes, edges }: DeploymentGraph): string {
  const id = (node: GraphNode): string => `n${nodes.indexOf(node)}`;
  const lines = ["flowchart LR"];
  for (const node of nodes) lines.push(`  ${id(node)}${shape(node)}`);
  for (const edge of edges) {
    const label = text([edge.service, grantsText(edge)]);
    lines.push(`  ${id(edge.from)} ${edge.requires ? "-->" : "-.->"}|${label}| ${id(edge.to)}`);
  }
  lines.push("  classDef nobody stroke:#c0392b,stroke-dasharray:4 3");
  const missing = nodes.filter(({ kind }) => kind === "nobody").map(id);
  if (missing.length > 0) lines.push(`  class ${missing.join(",")} nobody`);
  return lines.join("\n");
}

function shape(node: GraphNode): string {
  if (node.kind === "backend") return `[(${text([node.name])})]`;
  if (node.kind === "nobody") return `[${text(["nobody serves", ...node.services])}]`;
  return `(${text([node.name, ...(node.about.length > 0 ? [node.about.join(", ")] : [])])})`;
}

/** Lines in quotes. Whatever could end the text, or begin a tag or an entity, is written as an entity of Mermaid. */
function text(lines: readonly string[]): string {
  const escape = (line: string): string =>
    labelLine(line).replaceAll(/[^\w .,:()/*-]/gu, (c) => `#${c.codePointAt(0)};`);
  return `"${lines.map(escape).join("<br/>")}"`;
}
