import { graph, loadConfig } from "dropthrough";
import { XMLValidator } from "fast-xml-parser";
import { expect, test } from "vitest";

const config = await loadConfig(new URL("..", import.meta.url).pathname);

test("dropthrough graph draws the words system", async () => {
  expect(await graph(config)).toBe(
    `words.facade exports words.v1.WordsService
  requires dropthrough.redis.v1.RedisService of redis: all methods
  requires dropthrough.log.v1.LogService of log: all methods
words.client (main, command)
  requires words.v1.WordsService of words.facade: all methods
  requires dropthrough.file.v1.FileService of file: all methods
kernel (backend, every guest may call it) answers for dropthrough.kernel.v1.KernelService
log (backend) answers for dropthrough.log.v1.LogService
file (backend) answers for dropthrough.file.v1.FileService
redis (backend) answers for dropthrough.redis.v1.RedisService`,
  );
});

test("as Mermaid, and as SVG", async () => {
  const mermaid = await graph(config, { format: "mermaid" });
  expect(mermaid).toContain('n1 -->|"words.v1.WordsService<br/>all methods"| n0');
  const svg = await graph(config, { format: "svg" });
  expect(XMLValidator.validate(svg)).toBe(true);
  for (const text of ["words.client", "requires WordsService", "dropthrough.redis.v1.RedisService"])
    expect(svg).toContain(`>${text}</text>`);
});
