/** Every package that is published: its tarball, as publint sees it. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = new URL("..", import.meta.url).pathname;
let problems = 0;
let packages = 0;
for (const file of globSync("packages/{*,backends/*,guests/*,facades/*}/package.json", {
  cwd: root,
}).toSorted()) {
  const pkg = JSON.parse(readFileSync(join(root, file), "utf8")) as {
    name: string;
    private?: boolean;
  };
  if (pkg.private === true) continue;
  packages++;
  const { messages } = await publint({
    pkgDir: join(root, dirname(file)),
    pack: "pnpm",
    strict: true,
  });
  for (const message of messages) console.log(`${pkg.name}: ${formatMessage(message, pkg)}`);
  problems += messages.length;
  if (messages.length === 0) console.log(`${pkg.name}: good`);
}
if (packages === 0) console.log("there is no package that is published");
process.exitCode = problems === 0 && packages > 0 ? 0 : 1;
