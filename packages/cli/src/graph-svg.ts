import type { Graph } from "@viz-js/viz";
import { ConfigError } from "./config-error.ts";
import type { DeploymentGraph, GraphEdge, GraphNode } from "./deployment-graph.ts";
import { grantsText } from "./graph-text.ts";
import { labelLine } from "./label.ts";

/** Graphviz cannot measure the fonts of whoever looks at the picture: letters of one width are as wide in all of them. */
const MEASURED = "Courier";
const SHOWN = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

const COLOURS = {
  guest: { color: "#3b6ea8", fillcolor: "#eaf2fb" },
  backend: { color: "#7a7a7a", fillcolor: "#f4f4f4" },
  nobody: { color: "#c0392b", fillcolor: "#fdf0ee" },
} as const;

/** Graphviz takes 3 seconds for so many lines between 16 guests that all call each other, and minutes for some more. */
const MOST_EDGES = 256;

/**
 * A graph as an SVG picture, laid out in layers by Graphviz.
 *
 * @throws ConfigError if it has too many lines to be laid out
 */
export async function graphSvg(graph: DeploymentGraph): Promise<string> {
  if (graph.edges.length > MOST_EDGES) {
    throw new ConfigError(
      `a picture of ${graph.edges.length} lines takes too long, ${MOST_EDGES} are laid out at most: take --format text or mermaid`,
    );
  }
  // Only now: it is large, and no other command needs it.
  const { instance } = await import("@viz-js/viz");
  const viz = await instance();
  const svg = viz.renderString(graphviz(graph), { format: "svg" });
  return svg.replaceAll(`font-family="${MEASURED}"`, `font-family="${SHOWN}"`);
}

/** The graph as Graphviz takes it. */
function graphviz({ nodes, edges }: DeploymentGraph): Graph {
  const id = (node: GraphNode): string => `n${nodes.indexOf(node)}`;
  return {
    graphAttributes: {
      rankdir: "LR",
      nodesep: 0.4,
      ranksep: 1,
      pad: 0.3,
      bgcolor: "white",
    },
    nodeAttributes: { fontname: MEASURED, fontsize: 13, margin: "0.2,0.12", penwidth: 1.4 },
    edgeAttributes: { fontname: MEASURED, fontsize: 10, color: "#5c6773", arrowsize: 0.7 },
    nodes: nodes.map((node) => ({
      name: id(node),
      attributes: {
        shape: node.kind === "backend" ? "cylinder" : "box",
        style: node.kind === "nobody" ? "rounded,filled,dashed" : "rounded,filled",
        ...(node.kind === "backend" && { style: "filled" }),
        ...COLOURS[node.kind],
        label: { html: nodeLabel(node) },
      },
    })),
    edges: edges.map((edge) => ({
      tail: id(edge.from),
      head: id(edge.to),
      attributes: {
        style: edge.requires ? "solid" : "dashed",
        ...(edge.to.kind === "nobody" || edge.grants.length === 0
          ? { color: COLOURS.nobody.color }
          : {}),
        label: { html: edgeLabel(edge) },
      },
    })),
  };
}

function nodeLabel(node: GraphNode): string {
  const small = (line: string): string =>
    `<font point-size="10" color="#5c6773">${xml(line)}</font>`;
  const title = node.kind === "nobody" ? "nobody serves" : node.name;
  const { about } = node;
  const lines = [...node.services, ...(about.length > 0 ? [about.join(", ")] : [])];
  return [`<b>${xml(title)}</b>`, ...lines.map(small)].join("<br/>");
}

function edgeLabel(edge: GraphEdge): string {
  const short = edge.service.slice(edge.service.lastIndexOf(".") + 1);
  const verb = edge.requires ? "requires" : "may call";
  const methods = wrap(grantsText(edge)).map((line) => `<i>${xml(line)}</i>`);
  return [`${verb} ${xml(short)}`, ...methods].join("<br/>");
}

/** A text in lines of about 32 letters, parted at its blanks. */
function wrap(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + word.length > 32) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

/** Nothing of a text is markup. */
function xml(text: string): string {
  // Some characters may not even stand in XML as entities.
  const allowed = labelLine(text).replaceAll(/\p{Noncharacter_Code_Point}/gu, "\ufffd");
  return allowed.replaceAll(/[^\w .,:()/*-]/gu, (c) => `&#${c.codePointAt(0)};`);
}
