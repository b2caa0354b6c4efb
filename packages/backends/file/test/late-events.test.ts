import { Code } from "@connectrpc/connect";
import { inMemory } from "@dropthrough/dispatch/testing";
import { expect, test } from "vitest";
import { file } from "../src/index.ts";

test("events of a read that is given up before it is answered, by an interceptor that waits, are for the next one", async () => {
  let late = true;
  await using memory = inMemory(file({ mounts: { "/m": { memory: true } } }), {
    interceptors: [
      (next) => async (request) => {
        const response = await next(request);
        if (late && request.method.name === "ReadEvents") await new Promise(() => {});
        return response;
      },
    ],
  });
  const client = memory.client();
  const { watch } = await client.watch({ path: "/m", buffer: 2 });
  for (const name of ["a", "b", "c"]) await client.writeFile({ path: `/m/${name}` });
  for (const waitMs of [0, 10_000])
    await expect(client.readEvents({ watch, waitMs }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: Code.DeadlineExceeded,
    });
  late = false;
  const { events, lost } = await client.readEvents({ watch });
  expect(events.map(({ path }) => path)).toEqual(["b", "c"]);
  expect(lost).toBe(1n);
});
