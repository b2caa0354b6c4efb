import { parseArgs } from "node:util";
import { run, traceTo } from "dropthrough";
import { deployment } from "./deployment.ts";

const HELP = `sessions: keeps what it is told for a while

  node examples/sessions/main.ts [--redis URL] [--trace] [COMMAND]

  put ID TEXT [MS]   begins a session, or replaces what it holds; it lives for half an hour, or MS
  get ID             prints what it holds
  touch ID [MS]      begins its time anew
  end ID             ends it
  count              prints how many there are

COMMAND     left out: a tour of all of them
--redis URL keep them in a Redis server (or REDIS_URL); left out: in an engine within the process, which forgets
--trace     print every call on standard error

Exit codes: 0 done, 1 there is no such session, 2 usage, 75 not available right now: try again.
`;

// The run has ended, and with it the process: what a library of a backend left open must not keep it.
process.exit(await main());

async function main(): Promise<number> {
  const options = {
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
  const redisUrl = values.redis ?? process.env["REDIS_URL"];
  if (redisUrl !== undefined && !URL.canParse(redisUrl))
    return usage(`"${redisUrl}" is no URL: write redis://HOST:PORT`);
  return run(deployment(redisUrl), {
    args: positionals,
    observers: values.trace === true ? [traceTo(process.stderr)] : [],
  });
}

function usage(message: string): number {
  process.stderr.write(`sessions: ${message}\n`);
  return 2;
}
