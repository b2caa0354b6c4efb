import { brokenManifests, wat, withManifest } from "@dropthrough/guest-text";
import { describe, expect, test } from "vitest";
import { manifestServices, ModuleError, readGuestModule } from "../src/index.ts";

const guest = wat(`(module (memory (export "memory") 1) (func (export "_start")))`);

describe("a manifest", () => {
  test.each(brokenManifests("x.v1.Service"))(
    "$title is read, or refused with one sentence of some lines",
    ({ content, refusal }) => {
      const read = (): string[] =>
        manifestServices(readGuestModule(withManifest(guest, content)).manifest).map(
          (service) => service.typeName,
        );
      if (refusal === undefined) return expect(read().length).toBeLessThan(2);
      let error: unknown;
      try {
        read();
      } catch (cause) {
        error = cause;
      }
      expect(error).toBeInstanceOf(ModuleError);
      const { message } = error as ModuleError;
      expect(message).toContain(refusal);
      expect(message).not.toContain("()");
      expect(message.length).toBeLessThan(400);
      return undefined;
    },
  );
});
