import assert from "node:assert/strict";
import { service } from "../kernel-guest.ts";
import type { Play } from "../scenario.ts";
import { once, type Scenario } from "../scenario.ts";

/** A version of the service: it takes so many milliseconds for a call. */
const version = (ms: number) =>
  once(() => service("x.S", [], (g) => ({ Echo: g.later(ms) + g.replySame() })));

const slow = version(3);
const fast = version(1);
const broken = once(() => service("x.S", ["x.Missing"]));

const guests = once(() => [{ name: "service", module: slow(), exports: ["x.S"], instances: 2 }]);

/** Ten calls at once, the guest is replaced meanwhile, and ten more afterwards; answers why it was not. */
async function replaceUnderLoad(play: Play, module: Uint8Array<ArrayBuffer>): Promise<string> {
  const client = play.client("x.S");
  const ten = (): Promise<unknown>[] => Array.from({ length: 10 }, async () => client.echo({}));
  const before = ten();
  const replaced = play.host.replace("service", module).then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
  const during = ten();
  const why = await play.schedule.run(replaced);
  await play.schedule.run(Promise.all([...before, ...during, ...ten()]));
  return why;
}

/** A new version of a guest, while it is called. */
export const replacing: readonly Scenario[] = [
  {
    name: "replaced-under-load",
    claim: "a guest that is replaced under load answers every call once and OK",
    guests: () => guests(),
    async act(play) {
      assert.equal(await replaceUnderLoad(play, fast()), "");
    },
    expect({ codes, exits, launched }) {
      assert.deepEqual(codes("host", "x.S/Echo"), Array(30).fill(0));
      assert.deepEqual(new Set(launched.slice(0, 2)), new Set(["service1", "service2"]));
      assert.deepEqual(new Set(launched.slice(2)), new Set(["service3", "service4"]));
      assert.deepEqual(new Set(exits.map((exit) => exit.instance)), new Set([1, 2]));
    },
  },
  {
    name: "not-replaced",
    claim: "a new version that cannot launch leaves the old one as it was, and every call is OK",
    guests: () => guests(),
    limits: { restarts: 0 },
    async act(play) {
      const why = await replaceUnderLoad(play, broken());
      assert.match(why, /^"service" was not replaced: the new version exited with code 253/);
    },
    expect({ codes, exits, launched }) {
      assert.deepEqual(codes("host", "x.S/Echo"), Array(30).fill(0));
      assert.deepEqual(new Set(launched), new Set(["service1", "service2"]));
      assert.ok(exits.every((exit) => exit.instance > 2));
    },
  },
];
