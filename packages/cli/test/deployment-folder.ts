import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ManifestSchema } from "@dropthrough/abi";
import { withManifest } from "@dropthrough/guest-text";

const bin = new URL("../src/bin.ts", import.meta.url).pathname;

/** How a child process ended. */
export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Signal {
  readonly after: RegExp;
  readonly name: NodeJS.Signals;
}

/** What is done to a child process while it runs. */
interface Meanwhile {
  /** Sent when standard error shows `after`; of several, one after the other. */
  readonly signal?: Signal | readonly Signal[];
  /** Closes our ends of its standard streams before it writes. */
  readonly deaf?: boolean;
  /** A file that takes its standard output. */
  readonly stdout?: string;
}

/** A folder with guests and configurations, where the command runs as a child process. */
export class DeploymentFolder implements Disposable {
  readonly path: string;

  constructor() {
    // Below the package, so that a configuration finds what the package depends on.
    const build = join(import.meta.dirname, "../build");
    mkdirSync(build, { recursive: true });
    this.path = mkdtempSync(join(build, "test-"));
  }

  /** Writes a file; answers its name. */
  write(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return name;
  }

  /** Writes a module, with a manifest if one is given; answers its file name. */
  guest(
    name: string,
    module: Uint8Array<ArrayBuffer>,
    manifest?: MessageInitShape<typeof ManifestSchema>,
  ): string {
    return this.write(
      `${name}.wasm`,
      manifest === undefined
        ? module
        : withManifest(
            module,
            toBinary(ManifestSchema, create(ManifestSchema, { name, ...manifest })),
          ),
    );
  }

  /** Writes a configuration with `backends` as an expression; answers its file name. */
  config(
    name: string,
    guests: readonly object[],
    { head = "", backends = "[echo(), kernel()]", limits = {} } = {},
  ): string {
    return this.write(
      `${name}.config.ts`,
      `import { echo } from "@dropthrough/dispatch/testing";
       import { kernel } from "@dropthrough/kernel";
       ${head}
       export default { backends: ${backends}, guests: ${JSON.stringify(guests)}, limits: ${JSON.stringify(limits)} };`,
    );
  }

  async dropthrough(
    args: readonly string[],
    { signal, deaf, stdout }: Meanwhile = {},
  ): Promise<Outcome> {
    const out = stdout === undefined ? undefined : openSync(stdout, "w");
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: this.path,
      stdio: ["pipe", out ?? "pipe", "pipe"],
    });
    if (out !== undefined) closeSync(out);
    const signals = signal === undefined ? [] : [signal].flat();
    const outcome: Outcome = { code: null, stdout: "", stderr: "" };
    child.stdout?.on("data", (chunk: Buffer) => (outcome.stdout += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => {
      outcome.stderr += chunk.toString();
      // Once each: the second signal ends a process that is slow to close, as a user would expect.
      if (signals[0]?.after.test(outcome.stderr)) child.kill(signals.shift()?.name);
    });
    if (deaf === true) {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }
    outcome.code = await new Promise((resolve) => child.on("close", resolve));
    return outcome;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A trace without its times. */
export function untimed(trace: string): string {
  return trace.replaceAll(/\d+(\.\d+)? (µs|ms|s)\b/g, "T");
}
