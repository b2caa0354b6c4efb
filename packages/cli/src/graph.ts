import type { GraphFormat } from "./command-line.ts";
import type { Config } from "./config.ts";
import { readGraph } from "./deployment-graph.ts";
import { graphMermaid } from "./graph-mermaid.ts";
import { graphSvg } from "./graph-svg.ts";
import { graphText } from "./graph-text.ts";

/** How a deployment is drawn. */
export interface GraphOptions {
  /** Default `text`. */
  readonly format?: GraphFormat;
  /** Told why a guest's module cannot be read (it is drawn from the configuration alone then), and what is left out. Default: nobody. */
  readonly warn?: (message: string) => void;
}

/**
 * Draws a deployment: guests, backends, who requires and who may call what, with the grants. Nothing is run.
 *
 * @throws ConfigError if it is too large for a picture
 */
export async function graph(config: Config, options: GraphOptions = {}): Promise<string> {
  const { format = "text", warn = () => {} } = options;
  const read = await readGraph(config, warn);
  if (format === "svg") return graphSvg(read);
  return format === "mermaid" ? graphMermaid(read) : graphText(read);
}
