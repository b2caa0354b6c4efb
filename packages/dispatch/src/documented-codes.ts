import { Code } from "@connectrpc/connect";

/** What the comment of an rpc says of one code that it answers. */
export interface DocumentedCode {
  readonly rpc: string;
  /** Such as `NOT_FOUND`; empty for what the comment says of all of them. */
  readonly code: string;
  readonly when: string;
}

/** A row of a test: an rpc, a code that it answers, and whatever provokes that. */
export type CodeRow = readonly [rpc: string, code: Code, ...how: unknown[]];

/**
 * What the services of a contract say of their codes, rpc by rpc. The comment of an rpc has one paragraph of them, `Codes: NOT_FOUND if ...; ABORTED
 * if ...`; `as for Write` is a clause as well. One without says `none of its own`. What many rpcs answer alike stands in the comment of
 * the service: ``Codes of an rpc with `path` or `from`: NOT_FOUND if ...`` goes for every rpc whose request has such a field.
 *
 * @param proto the text of the contract; of a service alone, without its comment, only what stands at the rpcs
 */
export function documentedCodes(proto: string): DocumentedCode[] {
  const rpcs = [...proto.matchAll(/((?:^ *\/\/[^\n]*\n)*)^ *rpc (\w+)\((\w+)/gm)];
  const shared = [...proto.matchAll(/((?:^\/\/[^\n]*\n)+)^service /gm)].flatMap(
    ([, comment = ""]) => paragraphs(comment),
  );
  return rpcs.flatMap(([, comment = "", rpc = "", request = ""]) => [
    ...clauses(rpc, paragraphs(comment)),
    ...shared.flatMap((text) => sharedClauses(rpc, text, fieldsOf(proto, request))),
  ]);
}

/**
 * The codes that a contract documents and no row provokes, as `Write INVALID_ARGUMENT`: a backend's test of its codes expects none.
 *
 * ```ts
 * test.each(rows)("%s answers %s", async (_, code, call) => expect(await codeOf(call())).toBe(code));
 * test("every documented code has a row", () => expect(codesWithoutRow(proto, rows)).toEqual([]));
 * ```
 */
export function codesWithoutRow(proto: string, rows: readonly CodeRow[]): string[] {
  const documented = documentedCodes(proto);
  const rpcs = [...new Set(documented.map(({ rpc }) => rpc))];
  const codesOf = (rpc: string, asked: readonly string[]): string[] =>
    documented
      .filter((it) => it.rpc === rpc)
      .flatMap(({ code, when }) => {
        const [, other] = /^as for (\w+)$/.exec(when) ?? [];
        if (other === undefined || code !== "") return code;
        // No row has the clause itself, so that one which leads nowhere is named.
        if (!rpcs.includes(other)) return when;
        return asked.includes(other) ? [] : codesOf(other, [...asked, other]);
      })
      .filter((code) => code !== "");
  const provoked = new Set(rows.map(([rpc, code]) => `${rpc} ${nameOf(code)}`));
  const wanted = rpcs.flatMap((rpc) => codesOf(rpc, [rpc]).map((code) => `${rpc} ${code}`));
  return [...new Set(wanted)].filter((code) => !provoked.has(code));
}

/** A comment of a contract as paragraphs, each on one line; tables keep theirs. */
export function paragraphs(comment: string): string[] {
  return comment
    .split("\n")
    .map((line) => line.replace(/^ *\/\/ ?/, ""))
    .join("\n")
    .split(/\n\s*\n/)
    .map((text) => (text.startsWith("|") ? text.trim() : text.replaceAll(/\s+/g, " ").trim()))
    .filter((text) => text !== "");
}

function clauses(rpc: string, comment: readonly string[]): DocumentedCode[] {
  const said = comment.find((text) => text.startsWith("Codes: "));
  if (said === undefined) return [{ rpc, code: "", when: "none of its own" }];
  return split(rpc, said.slice("Codes: ".length));
}

/** The clauses of a paragraph of the service that go for an rpc with these fields. */
function sharedClauses(rpc: string, text: string, fields: ReadonlySet<string>): DocumentedCode[] {
  const [, which = "", said = ""] = /^Codes of an rpc with ([^:]*): (.*)$/.exec(text) ?? [];
  const named = [...which.matchAll(/`(\w+)`/g)].map(([, field = ""]) => field);
  return named.some((field) => fields.has(field)) ? split(rpc, said) : [];
}

/** The names of the fields of a message. */
function fieldsOf(proto: string, message: string): ReadonlySet<string> {
  const [, body = ""] = new RegExp(`^message ${message} \\{([^]*?)^\\}`, "m").exec(proto) ?? [];
  return new Set([...body.matchAll(/^ *[\w.<>, ]+ (\w+) = \d+;/gm)].map(([, field = ""]) => field));
}

/** The last sentence ends with a stop; each code begins a clause. */
function split(rpc: string, said: string): DocumentedCode[] {
  const parts = said.replace(/\.$/, "").split(/; (?=[A-Z][A-Z_]{3,}|as )/);
  return parts.map((part) => {
    const [, code = "", when = part] = /^([A-Z][A-Z_]{3,}) (.*)$/.exec(part) ?? [];
    return { rpc, code, when };
  });
}

/** As contracts write it: `NOT_FOUND`. */
function nameOf(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
