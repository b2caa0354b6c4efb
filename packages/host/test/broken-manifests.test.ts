import { ConnectError, createClient } from "@connectrpc/connect";
import type { Incident, Interceptor } from "@dropthrough/dispatch";
import { brokenManifests, withManifest } from "@dropthrough/guest-text";
import { describe, expect, test } from "vitest";
import { GuestError } from "../src/index.ts";
import { echoRequest, FACADE } from "./control.ts";
import { command, facade, facadeService, passThrough, say, start } from "./deployment.ts";

/** Sees the messages of guests, so that they are decoded. */
const passes: Interceptor = (next) => (request) => next(request);

describe.each([
  ["with bytes between guests", [], 0],
  ["with interceptors", [passes], 13],
] as const)("a host %s", (_, interceptors, code) => {
  test("answers INTERNAL, and is at no fault, if a guest leaves out what its own message must have", async () => {
    const odd = brokenManifests(FACADE).find(({ title }) => title.includes("must have"));
    const incidents: Incident[] = [];
    const empty = facade(
      () => `(drop (call $reply (local.get $call) (i32.const 0) (i32.const 0) (i32.const 0)))`,
    );
    await using host = start(
      [
        {
          name: "odd",
          module: withManifest(empty, odd?.content ?? new Uint8Array()),
          exports: [FACADE],
        },
        {
          name: "caller",
          module: command(
            (g) => `${say(g, `require ${FACADE}`)}
              (local.set $w (call $finish ${g.call(`${FACADE}/Echo`, echoRequest("hi"))}))
              (if (i32.ne (i32.const ${code})
                    (select (i32.const 0) (call $code (local.get $w)) (i32.ge_s (local.get $w) (i32.const 0))))
                (then unreachable))`,
          ),
        },
      ],
      { interceptors, onIncident: (incident) => void incidents.push(incident) },
    );
    await host.start();
    expect((await host.exited).code).toBe(0);
    expect(incidents).toEqual([]);
  });

  test.each(brokenManifests(FACADE))(
    "that is given a guest with a manifest $title starts, or says why not; nothing is a bug of the host",
    async ({ content, refusal }) => {
      const incidents: Incident[] = [];
      const onIncident = (incident: Incident): void => void incidents.push(incident);
      const module = withManifest(facade(passThrough), content);
      const caller = command(
        (g) =>
          `${say(g, `require ${FACADE}`)} (drop ${g.call(`${FACADE}/Echo`, echoRequest("hi"))})`,
      );
      await using host = start(
        [
          { name: "odd", module, exports: [FACADE] },
          { name: "caller", module: caller },
        ],
        { interceptors, onIncident },
      );
      const error: unknown = await host.start().then(
        () => undefined,
        (cause: unknown) => cause,
      );
      if (refusal === undefined) {
        expect(error).toBeUndefined();
        await host.exited;
        const client = createClient(facadeService, host.transport);
        const answered = await client
          .echo({ payload: Buffer.from("hi") })
          .catch((cause: unknown) => cause);
        if (answered instanceof Error) expect(answered).toBeInstanceOf(ConnectError);
        expect(host.registry.services().length).toBeGreaterThan(1);
      } else {
        expect(error).toBeInstanceOf(GuestError);
        expect((error as GuestError).message).toContain(`guest "odd": `);
        expect((error as GuestError).message).toContain(refusal);
      }
      expect(incidents).toEqual([]);
    },
  );
});
