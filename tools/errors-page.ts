/**
 * Writes docs/ERRORS.md: every rpc of every contract, and each code that it may answer, from the comments in proto/.
 *
 *   node tools/errors-page.ts
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { documentedCodes, paragraphs } from "@dropthrough/dispatch/testing";

const root = new URL("..", import.meta.url).pathname;
const PAGE = `${root}docs/ERRORS.md`;

/** The page as it should be. */
export function errorsPage(): string {
  const files = globSync("proto/**/*.proto", { cwd: root }).toSorted((a, b) => (a < b ? -1 : 1));
  const sections = files
    .filter((file) => !file.includes("/testing/"))
    .flatMap((file) => servicesOf(readFileSync(`${root}${file}`, "utf8"), file));
  return `# Errors

Which code every rpc answers, and when. Made from the comments in [proto/](../proto) by \`pnpm generate\`: change them, not this page.

Any call may also answer the codes of the boundary itself, which [ABI.md](ABI.md) lists, and those of the way to whoever answers: CANCELLED (given up by its caller), DEADLINE_EXCEEDED, ABORTED (the guest that
served it has ended), UNAVAILABLE (the guest that serves it is not running), UNIMPLEMENTED (nobody serves it, for the program that runs the host), RESOURCE_EXHAUSTED (a bound of [LIMITS.md](LIMITS.md)) and INTERNAL (a bug of the host, with an incident id).

${sections.join("\n")}`;
}

/** What stands on disk now. */
export function errorsPageOnDisk(): string {
  return readFileSync(PAGE, "utf8");
}

function servicesOf(text: string, file: string): string[] {
  const pkg = /^package ([\w.]+);/m.exec(text)?.[1] ?? "";
  return [...text.matchAll(/^((?:\/\/[^\n]*\n)*)service (\w+) \{\n([^]*?)^\}/gm)].map(
    ([, comment = "", name = "", body = ""]) => {
      const table = documentedCodes(body).map(
        ({ rpc, code, when }) => `| ${rpc} | ${code} | ${when.replaceAll("|", "\\|")} |`,
      );
      const general = paragraphs(comment)
        .filter((paragraph) => /[A-Z]{3,}_|codes?\b/.test(paragraph))
        .join("\n\n");
      return `## ${pkg}.${name}

[${file.split("/").at(-1) ?? file}](../${file}). ${general}

| rpc | code | when |
|---|---|---|
${table.join("\n")}
`;
    },
  );
}

if (import.meta.main) writeFileSync(PAGE, errorsPage());
