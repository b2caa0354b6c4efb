/**
 * Which methods a guest may reach: nothing that is not named.
 *
 * A grant is `package.Service/Method`, or `package.Service/*` for all methods of one service.
 */
export class Grants {
  readonly #names: ReadonlySet<string>;

  /** @throws TypeError for a pattern of another shape */
  constructor(patterns: readonly string[]) {
    Grants.check(patterns);
    this.#names = new Set(patterns);
  }

  /** @throws TypeError for a pattern of another shape */
  static check(patterns: readonly string[]): void {
    for (const pattern of patterns) {
      if (GRANT.test(pattern)) continue;
      throw new TypeError(
        `"${pattern}" is no grant: write package.Service/Method, or package.Service/* for all of its methods`,
      );
    }
  }

  /** Whether `package.Service/Method` is granted. */
  allow(name: string): boolean {
    return this.#names.has(name) || this.#names.has(`${name.slice(0, name.indexOf("/"))}/*`);
  }
}

const GRANT = /^[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*\/([A-Za-z_]\w*|\*)$/;
const METHOD_NAME = /^([A-Za-z_][\w]*(?:\.[A-Za-z_][\w]*)*)\/([A-Za-z_]\w*)$/;

/** Splits `package.Service/Method`; undefined if it has another shape. */
export function splitMethodName(name: string): { service: string; method: string } | undefined {
  const [, service, method] = METHOD_NAME.exec(name) ?? [];
  return service === undefined || method === undefined ? undefined : { service, method };
}
