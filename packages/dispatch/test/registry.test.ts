import { describe, expect, test } from "vitest";
import {
  brand,
  createRegistry,
  defineBackend,
  type Directory,
  type Registry,
} from "../src/index.ts";
import { echo, EchoService } from "../src/testing.ts";

const nobody = ({ clock }: Registry): Directory => ({
  clock,
  services: () => [],
  guests: () => [],
  watch: () => ({ [Symbol.dispose]() {} }),
});

describe("registry.use", () => {
  test("refuses a second owner of a service, and names both", () => {
    const registry = createRegistry();
    registry.use(echo());
    const other = defineBackend({ name: "other", service: EchoService, impl: {} });
    expect(() => registry.use(other)).toThrow(
      'dropthrough.testing.v1.EchoService has two owners, "echo" and "other": plug in one of them',
    );
  });

  test("refuses what is no backend, or one of another version", () => {
    const registry = createRegistry();
    expect(() => registry.use({} as never)).toThrow("registry.use takes a backend");
    expect(() => registry.use({ ...echo(), [brand]: 2 })).toThrow(
      '"echo" was made for version 2 of the backend interface, and this registry knows 1: upgrade @dropthrough/dispatch',
    );
    expect(() => registry.use({ ...echo(), [brand]: 0 })).toThrow('upgrade the package of "echo"');
  });

  test("refuses a backend that it has already, and says so", () => {
    const registry = createRegistry();
    const backend = echo();
    registry.use(backend);
    expect(() => registry.use(backend)).toThrow('"echo" is plugged in already');
  });

  test("refuses what comes after it was disposed, since nobody would close it", async () => {
    const registry = createRegistry();
    await registry[Symbol.asyncDispose]();
    expect(() => registry.use(echo())).toThrow("the registry was disposed: make another one");
  });

  test("does not keep a backend that refuses its directory", () => {
    const registry = createRegistry();
    registry.attach(nobody(registry));
    const refuses = (): never => {
      throw new Error("not this one");
    };
    expect(() => registry.use({ ...echo(), attach: refuses })).toThrow("not this one");
    expect(registry.services()).toEqual([]);
    registry.use(echo());
  });

  test("answers what takes the entry out again", () => {
    const registry = createRegistry();
    const used = registry.use(echo());
    expect(registry.find("dropthrough.testing.v1.EchoService/Echo")?.entry.name).toBe("echo");
    used[Symbol.dispose]();
    expect(registry.find("dropthrough.testing.v1.EchoService/Echo")).toBeUndefined();
    expect(registry.services()).toEqual([]);
    registry.use(echo());
    used[Symbol.dispose]();
    expect(registry.services()).toEqual([
      {
        name: "dropthrough.testing.v1.EchoService",
        owner: "echo",
        owners: ["echo"],
        kind: "backend",
        running: 1,
        methods: ["Echo", "Forward"],
      },
    ]);
  });
});

test("disposing a registry closes its backends, the last one first, even if one fails", async () => {
  const closed: string[] = [];
  const registry = createRegistry();
  const closing = (name: string, fail: boolean) => async (): Promise<void> => {
    closed.push(name);
    if (fail) throw new Error(`${name} failed`);
  };
  registry.use({ ...echo(), [Symbol.asyncDispose]: closing("echo", false) });
  const second = { ...EchoService, typeName: "x.Second" } as typeof EchoService;
  registry.use({
    ...defineBackend({ name: "second", service: second, impl: {} }),
    [Symbol.asyncDispose]: closing("second", true),
  });
  await expect(registry[Symbol.asyncDispose]()).rejects.toThrow("second failed");
  expect(closed).toEqual(["second", "echo"]);
});

test("a directory is handed to every backend that asks for it, now and later", () => {
  const registry = createRegistry();
  const attached: string[] = [];
  registry.use({ ...echo(), attach: () => void attached.push("echo") });
  const directory = nobody(registry);
  registry.attach(directory);
  const second = { ...EchoService, typeName: "x.Second" } as typeof EchoService;
  registry.use(
    defineBackend({
      name: "second",
      service: second,
      impl: {},
      attach: () => void attached.push("second"),
    }),
  );
  expect(attached).toEqual(["echo", "second"]);
  expect(() => registry.attach(directory)).toThrow("the registry belongs to a host already");
});
