import { Code, ConnectError } from "@connectrpc/connect";
import { type Guest, similarName } from "@dropthrough/dispatch";
import type { Departures } from "./departures.ts";
import type { StartGraph } from "./start-graph.ts";

/** So many sentences say enough, and keep the message of a large graph within a few kilobytes. */
const MOST_SENTENCES = 32;
const MOST_SERVICES = 4;

/** How far a guest has come. */
export type Progress = "new" | "registered" | "launching";

/**
 * Why a guest can never be launched, as far as is known now.
 *
 * @returns UNAVAILABLE if who was to serve has exited, NOT_FOUND if nobody exports it; undefined if waiting may help
 */
export function hopeless(
  guest: Guest,
  graph: StartGraph,
  departures: Departures,
): ConnectError | undefined {
  const service = graph.missing(guest).find((s) => !graph.mayCome(s));
  if (service === undefined) return undefined;
  const gone = departures.of(service, graph);
  if (gone !== undefined) {
    return new ConnectError(
      `${guest.name} requires ${service} of ${gone}: start it again, or look at why it ended`,
      Code.Unavailable,
    );
  }
  return new ConnectError(
    `${guest.name} requires ${service}, and nobody exports it${hint(service, graph)}: add a backend or a guest that serves it`,
    Code.NotFound,
  );
}

function hint(service: string, graph: StartGraph): string {
  const idle = graph.guests.find((g) => g.state === "running" && g.mayExport.includes(service));
  if (idle !== undefined) return `; ${idle.name} may, but was launched without`;
  const owners = new Map<string, string>();
  for (const guest of graph.guests) {
    const may = guest.state === "starting" ? guest.mayExport : [];
    for (const name of [...may, ...guest.exported]) owners.set(name, guest.name);
  }
  for (const info of graph.services.values()) owners.set(info.name, info.owners.join(" and "));
  const similar = similarName(service, owners.keys());
  return similar === undefined ? "" : `; did you mean ${similar} of ${owners.get(similar)}?`;
}

/**
 * Who waits for whom, and why, beginning with one guest: `a waits for x.S of facade; facade has not called Launch`.
 *
 * @param progress how far an instance has come
 */
export function diagnosis(
  first: Guest,
  graph: StartGraph,
  progress: (guest: Guest) => Progress,
): string {
  const starting = new Map(
    graph.guests.filter((g) => g.state === "starting").map((g) => [g.name, g]),
  );
  const told = new Set<string>();
  const sentences: string[] = [];
  // Whom a guest waits for comes next, so that the reason stands at the end of its chain.
  const stack = [...[...starting.values()].toReversed(), first];
  for (let guest = stack.pop(); guest !== undefined; guest = stack.pop()) {
    if (told.has(guest.name)) continue;
    if (sentences.length === MOST_SENTENCES)
      return `${sentences.join("; ")}; and ${starting.size - sentences.length} more`;
    told.add(guest.name);
    const missing = graph.missing(guest);
    sentences.push(sentence(guest, missing, graph, progress(guest)));
    const next = new Set(missing.flatMap((s) => graph.exporters(s)));
    for (const name of [...next].toReversed()) {
      const waitedFor = starting.get(name);
      if (waitedFor !== undefined && !told.has(name)) stack.push(waitedFor);
    }
  }
  return sentences.join("; ");
}

function sentence(
  guest: Guest,
  missing: readonly string[],
  graph: StartGraph,
  progress: Progress,
): string {
  if (progress === "new") return `${guest.name} has not called Register`;
  if (progress === "registered" || missing.length === 0)
    return `${guest.name} has not called Launch`;
  const services = missing.slice(0, MOST_SERVICES).map((service) => {
    const exporters = graph.exporters(service);
    const owners = graph.services.get(service)?.owners.join(" and ");
    if (exporters.length > 0) return `${service} of ${exporters.join(", ")}`;
    return owners === undefined
      ? `${service} that nobody exports`
      : `${service} of ${owners}, of which no instance runs`;
  });
  const more = missing.length - services.length;
  return `${guest.name} waits for ${services.join(" and ")}${more > 0 ? ` and ${more} more` : ""}`;
}
