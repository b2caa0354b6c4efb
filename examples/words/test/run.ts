import { spawn } from "node:child_process";

/** How a run of the example ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const main = new URL("../main.ts", import.meta.url).pathname;

/** Runs `words` as a user does. `onStderr` sees what it has said on standard error so far, each time that it says more. */
export async function words(
  args: readonly string[],
  onStderr?: (text: string) => void,
): Promise<Outcome> {
  return start([process.execPath, main, ...args], onStderr);
}

/** The same where the engine may not make code of strings, as under a browser's policy. */
export async function wordsWithoutGeneratedCode(args: readonly string[]): Promise<Outcome> {
  const flags = ["--disallow-code-generation-from-strings", "--import", REFUSES_CODE];
  return start([process.execPath, ...flags, main, ...args]);
}

/** A module that does not load where code can be made of strings. */
const REFUSES_CODE = `data:text/javascript,${encodeURIComponent(`
  let made;
  try { made = Function("return true")(); } catch {}
  if (made) throw new Error("code was made of a string");
`)}`;

/** The same by a root that may not read what is not its own: root reads everything, unless it gives that up. */
export async function wordsWithoutPrivilege(args: readonly string[]): Promise<Outcome> {
  const drop =
    process.getuid?.() === 0 ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : [];
  return start([...drop, process.execPath, main, ...args]);
}

/** The same for a reader that leaves before anything is printed. */
export async function wordsUnread(args: readonly string[]): Promise<Outcome> {
  return start([process.execPath, main, ...args], undefined, true);
}

async function start(
  [command = "", ...args]: readonly string[],
  onStderr?: (text: string) => void,
  unread = false,
): Promise<Outcome> {
  const env = { ...process.env };
  delete env["REDIS_URL"];
  delete env["INIT_CWD"];
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const out: Buffer[] = [];
  if (unread) child.stdout.destroy();
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    onStderr?.(stderr);
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout: Buffer.concat(out).toString(), stderr };
}
