import { printable } from "@dropthrough/dispatch";
import type { DeploymentGraph, GraphEdge, GraphNode } from "./deployment-graph.ts";
import { labelLine } from "./label.ts";

/** More methods than this say no more. */
const MOST_METHODS = 12;

/**
 * A graph as lines of text: every guest with what it exports, requires and may call, then the backends.
 *
 * ```text
 * words.client (main, command)
 *   requires words.v1.WordsService of words.facade: all methods
 * words.facade exports words.v1.WordsService
 *   requires dropthrough.redis.v1.RedisService of redis: all methods
 * redis (backend) answers for dropthrough.redis.v1.RedisService
 * ```
 */
export function graphText({ nodes, edges }: DeploymentGraph): string {
  const lines: string[] = [];
  for (const node of nodes.filter(({ kind }) => kind !== "nobody")) {
    const verb = node.kind === "guest" ? "exports" : "answers for";
    const about = node.kind === "guest" ? node.about : ["backend", ...node.about];
    lines.push(
      [
        node.name,
        ...(about.length > 0 ? [`(${about.join(", ")})`] : []),
        ...(node.services.length > 0 ? [`${verb} ${node.services.map(labelLine).join(", ")}`] : []),
      ].join(" "),
    );
    for (const edge of edges.filter(({ from }) => from === node)) {
      const verbOfEdge = edge.requires ? "requires" : "may call";
      lines.push(
        `  ${verbOfEdge} ${labelLine(edge.service)} of ${ownerOf(edge.to)}: ${grantsText(edge)}`,
      );
    }
  }
  return lines.map((line) => printable(line)).join("\n");
}

function ownerOf(node: GraphNode): string {
  return node.kind === "nobody" ? "nobody" : node.name;
}

/** What may be called, in words: `all methods`, `Get, Put`, or `nothing granted`. */
export function grantsText({ grants }: GraphEdge): string {
  if (grants.length === 0) return "nothing granted";
  if (grants[0] === "*") return "all methods";
  const shown = grants.slice(0, MOST_METHODS).join(", ");
  return grants.length > MOST_METHODS ? `${shown} and ${grants.length - MOST_METHODS} more` : shown;
}
