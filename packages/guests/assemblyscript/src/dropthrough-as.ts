#!/usr/bin/env node
import { buildGuest } from "./build-guest.ts";
import { parseCommandLine, USAGE, UsageError } from "./command-line.ts";

try {
  const options = parseCommandLine(process.argv.slice(2));
  if (options === undefined) process.stdout.write(USAGE);
  else {
    const guest = await buildGuest({
      ...options,
      onWarnings: (warnings) => process.stderr.write(`${warnings}\n`),
    });
    process.stdout.write(`${options.outFile}: ${guest.length} bytes\n`);
  }
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`dropthrough-as: ${message}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${USAGE}`);
  process.exitCode = 1;
}
