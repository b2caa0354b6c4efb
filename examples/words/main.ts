import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { run, traceTo } from "dropthrough";
import { deployment } from "./deployment.ts";

const HELP = `words: counts the words of a folder

  npm start -- [DIRECTORY] [--top N] [--json] [--redis URL] [--trace]

DIRECTORY   a folder or a file; left out: the pages of Dropthrough itself
--top N     how many words, 1 to 10000; 20 if left out
--json      print [["the",123],…] and nothing else on standard output
--redis URL keep the counts in a Redis server (or REDIS_URL); left out: in an engine within the process
--trace     print every call on standard error

Exit codes: 0 all was counted, 1 something could not be read, 2 usage,
75 not available right now: try again.
`;

// The run has ended, and with it the process: what a library of a backend left open must not keep it.
process.exit(await main());

async function main(): Promise<number> {
  const options = {
    top: { type: "string" },
    json: { type: "boolean" },
    redis: { type: "string" },
    trace: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const;
  let parsed;
  try {
    parsed = parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return usage((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  if (positionals.length > 1) return usage("name one folder");
  const { top = "20" } = values;
  if (!/^\d{1,5}$/.test(top) || Number(top) < 1 || Number(top) > 10_000)
    return usage("--top takes a number from 1 to 10000");
  const root = resolve(import.meta.dirname, "../..");
  const paths = (
    positionals.length === 0 ? [`${root}/docs`, `${root}/README.md`] : positionals
  ).map(
    // npm runs scripts in its own folder; a path is meant from where the user is.
    (path) => resolve(process.env["INIT_CWD"] ?? ".", path),
  );
  for (const path of paths) if (!existsSync(path)) return usage(`${path} does not exist`);
  const redisUrl = values.redis ?? process.env["REDIS_URL"];
  if (redisUrl !== undefined && !URL.canParse(redisUrl))
    return usage(`"${redisUrl}" is no URL: write redis://HOST:PORT`);
  return run(deployment({ paths, redisUrl }), {
    args: [...(values.json === true ? ["--json"] : []), "--top", top, ...paths],
    observers: values.trace === true ? [traceTo(process.stderr)] : [],
  });
}

function usage(message: string): number {
  process.stderr.write(`words: ${message}\n`);
  return 2;
}
