/** One bar of a chart, and what is written beside it. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly note: string;
  /** Ours stands out. */
  readonly ours?: boolean;
}

const OURS = "#0f766e";
const THEIRS = "#94a3b8";
/** Steps of one call, from the first to the last. */
const STEPS = ["#0f766e", "#2563eb", "#9333ea", "#d97706", "#dc2626"];
const FONT = `font-family="system-ui, sans-serif" font-size="13"`;

function frame(width: number, height: number, title: string, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="20" y="28" font-family="system-ui, sans-serif" font-size="15" font-weight="600" fill="#0f172a">${escape(title)}</text>
${body}
</svg>
`;
}

function text(x: number, y: number, said: string, more = ""): string {
  return `<text x="${x}" y="${y}" ${FONT} fill="#334155"${more}>${escape(said)}</text>`;
}

function escape(said: string): string {
  return said.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** Bars over a logarithmic scale of nanoseconds. */
export function logBars(title: string, groups: readonly (readonly Bar[])[]): string {
  const [left, right, top, line] = [240, 170, 70, 24];
  const width = 860;
  const values = groups.flat().map((bar) => bar.value);
  const [low, high] = [
    Math.floor(Math.log10(Math.min(...values))),
    Math.ceil(Math.log10(Math.max(...values))),
  ];
  const x = (value: number): number =>
    left + ((Math.log10(value) - low) / (high - low)) * (width - left - right);
  const rows = groups.flat().length * line + (groups.length - 1) * 14;
  const marks: string[] = [];
  for (let power = low; power <= high; power++) {
    const at = x(10 ** power).toFixed(1);
    marks.push(
      `<line x1="${at}" y1="${top - 8}" x2="${at}" y2="${top + rows}" stroke="#e2e8f0"/>`,
      text(Number(at), top - 12, scale(power), ' text-anchor="middle"'),
    );
  }
  let y = top;
  for (const group of groups) {
    for (const { label, value, note, ours } of group) {
      marks.push(
        text(left - 10, y + 16, label, ' text-anchor="end"'),
        `<rect x="${left}" y="${y + 3}" width="${(x(value) - left).toFixed(1)}" height="17" rx="2" fill="${ours === true ? OURS : THEIRS}"/>`,
        text(Number((x(value) + 8).toFixed(1)), y + 16, note),
      );
      y += line;
    }
    y += 14;
  }
  return frame(width, top + rows + 20, title, marks.join("\n"));
}

/** What a power of ten of nanoseconds is called. */
function scale(power: number): string {
  const unit = ["ns", "µs", "ms", "s"][Math.floor(power / 3)];
  return `${10 ** (power % 3)} ${unit}`;
}

/** One bar in steps, each with what it stands for below. */
export function stepBar(title: string, steps: readonly Bar[]): string {
  const [width, left, top] = [860, 20, 46];
  const all = steps.reduce((sum, { value }) => sum + value, 0);
  let x = left;
  const marks = steps.flatMap(({ label, value, note }, i) => {
    const wide = (value / all) * (width - 2 * left);
    const y = top + 76 + i * 24;
    const color = STEPS[i % STEPS.length] ?? OURS;
    const bar = `<rect x="${x.toFixed(1)}" y="${top}" width="${wide.toFixed(1)}" height="44" fill="${color}"/>`;
    const share =
      wide < 40
        ? ""
        : `<text x="${(x + wide / 2).toFixed(1)}" y="${top + 27}" ${FONT} fill="#ffffff" text-anchor="middle">${note}</text>`;
    x += wide;
    return [
      bar,
      share,
      `<rect x="${left}" y="${y - 11}" width="13" height="13" rx="2" fill="${color}"/>`,
      text(left + 70, y, note, ' text-anchor="end"'),
      text(left + 84, y, label),
    ].filter((mark) => mark !== "");
  });
  return frame(width, top + 76 + steps.length * 24, title, marks.join("\n"));
}
