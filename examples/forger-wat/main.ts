import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHost } from "@dropthrough/host";
import { log, type LogCounts, type LogOptions } from "@dropthrough/log";
import loadWabt from "wabt";

/** What became of the attacks. */
export interface Forgery {
  /** What stands in the log. */
  readonly text: string;
  readonly counts: LogCounts;
  /** How the guest ended: 0, or 253 if a flood was not answered OK. */
  readonly exitCode: number;
}

/** Assembles forger.wat, and lets it attack a log that is a file. */
export async function forge(options: LogOptions = {}): Promise<Forgery> {
  const wabt = await loadWabt();
  const source = readFileSync(new URL("forger.wat", import.meta.url), "utf8");
  const module = new Uint8Array(wabt.parseWat("forger.wat", source).toBinary({}).buffer);
  const folder = mkdtempSync(join(tmpdir(), "dropthrough-forger-"));
  try {
    const file = join(folder, "log");
    const logs = log({ ...options, file });
    const guests = [{ name: "forger", module, grants: ["dropthrough.log.v1.LogService/*"] }];
    const host = createHost({ backends: [logs], guests });
    await host.start();
    const { code } = await host.exited;
    await host[Symbol.asyncDispose]();
    return { text: readFileSync(file, "utf8"), counts: logs.counts(), exitCode: code };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { text, counts } = await forge();
  const lines = text.trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as { guest: string; msg: string });
  const answers = records.filter(({ msg }) => /^answered \d\d: /.test(msg));
  const refused = answers.filter(({ msg }) => !msg.startsWith("answered 00"));
  const forged = records.filter(({ guest }) => guest !== "forger");
  console.log(
    `${answers.length} attacks, ${refused.length} refused, ${lines.length} lines, ${counts.dropped} records of floods dropped, ${forged.length} forged`,
  );
  if (forged.length > 0) process.exitCode = 1;
}
