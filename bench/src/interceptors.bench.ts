import type * as testing from "@dropthrough/dispatch/testing";
import { create, toBinary } from "@bufbuild/protobuf";
import { loadBuild, type Patch } from "./builds.ts";
import { byChance, type CaseMaker } from "./case.ts";
import type * as loops from "./loop-guest.ts";

/** What is left of the dispatch without interceptors: it never asks for them. */
const WITHOUT: Patch = {
  "dispatch/src/binding.ts": [[" && interceptors.length === 0", ""]],
  "dispatch/src/interceptor.ts": [
    [
      "return interceptors.length === 0 ? inner : new InterceptedAnswer(interceptors, inner);",
      "return inner;",
    ],
  ],
};

type Build = typeof loops & Pick<typeof testing, "echo" | "EchoService">;

async function sampleOf(
  name: string,
  patch: Patch,
): Promise<Awaited<ReturnType<Build["loopGuest"]>>> {
  const build = await loadBuild<Build>(name, new URL("echo-loop.ts", import.meta.url), patch);
  const { input } = build.EchoService.method.echo;
  return build.loopGuest({
    method: "dropthrough.testing.v1.EchoService/Echo",
    request: toBinary(input, create(input, { payload: Buffer.alloc(64, 7) })),
    backends: [build.echo()],
  });
}

const cases: readonly CaseMaker[] = [
  byChance({
    name: "call.interceptors0",
    async make() {
      // Both are builds of their own, so that the engine knows as much of the one as of the other.
      const a = await sampleOf("with", {});
      const b = await sampleOf("without", WITHOUT);
      return {
        what: "a build without interceptors",
        atMost: 1.03,
        subject: a.sample,
        baseline: b.sample,
        async close() {
          await a.host[Symbol.asyncDispose]();
          await b.host[Symbol.asyncDispose]();
        },
      };
    },
  }),
];

export default cases;
