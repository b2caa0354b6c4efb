import type { Figure, Figures } from "./figures.ts";
import { type Bar, logBars, stepBar } from "./svg.ts";
import { amount } from "./table.ts";

/** Everything in docs/ that is made from figures, by the name of its file; the page itself is given and comes back changed. */
export function pageOf(figures: Figures, page: string): Record<string, string> {
  return {
    "performance-call.svg": callChart(figures),
    "performance-peers.svg": peersChart(figures),
    "PERFORMANCE.md": Object.entries({
      machine: machineLine(figures),
      figures: table(figures),
      steps: stepTable(figures),
    }).reduce((text, [name, content]) => fill(text, name, content), page),
  };
}

/** Puts text between `<!-- name -->` and the next `<!-- end -->`. */
function fill(page: string, name: string, content: string): string {
  const start = page.indexOf(`<!-- ${name} -->`);
  const end = page.indexOf("<!-- end -->", start);
  if (start < 0 || end < 0) throw new Error(`the page has no place for ${name}`);
  return `${page.slice(0, start)}<!-- ${name} -->\n${content}\n${page.slice(end)}`;
}

function machineLine({ cpu, cores, node }: Figures): string {
  return `Taken on: ${cpu}, ${cores} cores (virtual, with other work on them), Node ${node}.`;
}

function table({ results }: Figures): string {
  const rows = results
    .filter(({ name }) => !name.startsWith("part."))
    .map((one) => {
      const { name, unit, min, median, baselineMedian, baseline, bound, good } = one;
      const reached = bound === "" ? "" : `${bound.replace("at most", "≤")}${good ? "" : " ✗"}`;
      const against = baselineMedian === null ? "" : amount(baselineMedian, unit);
      return `| \`${name}\` | ${amount(min, unit)} | ${amount(median, unit)} | ${against} | ${ratioOf(one)} | ${reached} | ${baseline ?? ""} |`;
    });
  return [
    "| case | fastest round | median | baseline's median | ratio | to reach | what the baseline is |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function ratioOf({ ratio, more, bound, unit }: Figure): string {
  if (ratio === null) return "";
  const difference = bound.includes("more") ? `, ${amount(more ?? 0, unit)} more` : "";
  return ratio.toPrecision(2).replace(/\.0$/, "") + difference;
}

/** How far into a call each part is done, and what the next of it is called. */
const STEPS: readonly (readonly [string, string])[] = [
  ["part.crossing", "the crossing: an import with six i32"],
  ["part.boundary", "the boundary: pointers, lengths, limits, method number, result word"],
  [
    "part.dispatch",
    "dispatch: the call, its deadline and caller, the handler, messages of no fields",
  ],
  ["part.request", "the request: 64 bytes decoded and copied out of the guest"],
  ["call.echo64", "the response: 64 bytes encoded into the guest"],
];

/** What each step of `call.echo64` takes: its share of the whole, times the fastest round of the whole. */
export function stepsOf({ results }: Figures): Bar[] {
  const figure = (name: string): Figure | undefined => results.find((one) => one.name === name);
  const whole = figure("call.echo64")?.min ?? Number.NaN;
  let before = 0;
  return STEPS.map(([name, label]) => {
    const share = name === "call.echo64" ? 1 : (figure(name)?.ratio ?? Number.NaN);
    const value = Math.max(0, share - before) * whole;
    before = Math.max(before, share);
    return { label, value, note: `${value.toFixed(0)} ns` };
  });
}

function stepTable(figures: Figures): string {
  const steps = stepsOf(figures);
  const all = steps.reduce((sum, { value }) => sum + value, 0);
  return [
    "| step | takes | of the whole |",
    "|---|---|---|",
    ...steps.map(
      ({ label, value, note }) => `| ${label} | ${note} | ${((value / all) * 100).toFixed(0)} % |`,
    ),
  ].join("\n");
}

function callChart(figures: Figures): string {
  const steps = stepsOf(figures);
  const all = steps.reduce((sum, { value }) => sum + value, 0);
  return stepBar(`One call.echo64: ${all.toFixed(0)} ns`, steps);
}

const PEERS: readonly (readonly [string, string])[] = [
  ["call.echo64", "echo of 64 bytes"],
  ["call.echo1k", "1 KiB"],
  ["call.echo64k", "64 KiB"],
  ["async.echo64", "64 bytes, asynchronous"],
  ["invoke.echo64", "host calls guest, 64 bytes"],
];

function peersChart({ results }: Figures): string {
  const groups = PEERS.map(([name, what]) => {
    const peers = results.filter((one) => /[.](extism|wapc|jco|quickjs)$/.test(one.name));
    const beside = peers.filter((one) => one.name.startsWith(`${name}.`));
    const ours = Math.min(...beside.map((one) => one.min));
    const bar = ({ baseline, ratio }: Figure): Bar => {
      const times = 1 / (ratio ?? Number.NaN);
      const note = `${times.toFixed(times < 10 ? 1 : 0)} times as long`;
      return { label: baseline ?? "", value: ours * times, note };
    };
    const own: Bar = { label: `ours, ${what}`, value: ours, note: amount(ours, "ns"), ours: true };
    return [own, ...beside.map(bar)];
  });
  return logBars("One call, beside the same call in others (logarithmic)", groups);
}
