import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { beforeAll, expect, test } from "vitest";
import { buildGuest } from "../src/index.ts";
import {
  ArgumentsRequestSchema,
  ArgumentsResponseSchema,
  ExitRequestSchema,
  ReceiveRequestSchema,
  ReceiveResponseSchema,
} from "./gen/dropthrough/kernel/v1/kernel_pb.ts";
import {
  FindRequestSchema,
  FindResponseSchema,
  ForgetRequestSchema,
  ForgetResponseSchema,
} from "./gen/greeter/v1/greeter_pb.ts";
import { failure, GuestExit, PlainHost } from "./plain-host.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const modules = new Map<string, WebAssembly.Module>();

beforeAll(async () => {
  const readme = readFileSync(here("../README.md"), "utf8");
  rmSync(here("build/readme"), { recursive: true, force: true });
  mkdirSync(here("build/readme"), { recursive: true });
  cpSync(here("assembly/gen"), here("build/readme/gen"), { recursive: true });
  for (const [, file = "", source = ""] of readme.matchAll(
    /```assemblyscript\n\/\/ (\S+)\n(.*?)```/gs,
  )) {
    const entry = here(`build/readme/${file}`);
    writeFileSync(entry, source);
    const wasm = await buildGuest({ entry, baseDir: here(".."), command: file !== "facade.ts" });
    modules.set(file, await WebAssembly.compile(wasm));
  }
});

async function start(file: string, host: PlainHost): Promise<void> {
  const module = modules.get(file);
  if (module === undefined) throw new Error(`the README has no ${file}`);
  host.acceptKernelCalls();
  await host.start(module);
}

/** A facade over a backend that knows Ada. */
async function startFacade(): Promise<PlainHost> {
  const facade = new PlainHost();
  facade.typed(
    "greeter.v1.PhraseService/Forget",
    ForgetRequestSchema,
    ForgetResponseSchema,
    () => ({}),
  );
  facade.methods.set("greeter.v1.PhraseService/Find", (bytes) =>
    fromBinary(FindRequestSchema, bytes).name === "Ada"
      ? Uint8Array.of(10, 2, 72, 105)
      : failure(5, "a stranger"),
  );
  await start("facade.ts", facade);
  return facade;
}

/** Runs the client on arguments; answers the exit codes and reasons, and what the facade said. */
async function runClient(args: string[]): Promise<{ exits: string[]; said: string[] }> {
  const facade = await startFacade();
  const client = new PlainHost();
  const exits: string[] = [];
  const said: string[] = [];
  const kernel = "dropthrough.kernel.v1.KernelService";
  client.typed(`${kernel}/Arguments`, ArgumentsRequestSchema, ArgumentsResponseSchema, () => ({
    arguments: args,
  }));
  client.methods.set(`${kernel}/Exit`, (bytes) => {
    const { code, reason } = fromBinary(ExitRequestSchema, bytes);
    exits.push(`${code} ${reason}`);
    throw new GuestExit();
  });
  client.methods.set("greeter.v1.GreeterService/Greet", async (bytes) => {
    const answer = await facade.serve("greeter.v1.GreeterService/Greet", bytes);
    if (answer instanceof Uint8Array) said.push(fromBinary(FindResponseSchema, answer).phrase);
    return answer;
  });
  await start("client.ts", client).catch((error: unknown) => {
    if (!(error instanceof GuestExit)) throw error;
  });
  return { exits, said };
}

test("the client of the README greets through the facade of the README", async () => {
  expect(await runClient(["Ada", "Ada"])).toEqual({ exits: [], said: ["Hi, Ada", "Hi, Ada"] });
});

test("its failures are told apart by code", async () => {
  expect(await runClient(["Ada", "Bob"])).toEqual({
    exits: ["2 a stranger: Bob"],
    said: ["Hi, Ada"],
  });
  expect(await runClient([""])).toEqual({ exits: ["1 INVALID_ARGUMENT: who?"], said: [] });
});

test("the method that changes nothing passes on", async () => {
  const facade = await startFacade();
  expect(await facade.serve("greeter.v1.GreeterService/Forget", Uint8Array.of(10, 1, 65))).toEqual(
    new Uint8Array(),
  );
  expect(facade.log.at(-1)).toBe("call greeter.v1.PhraseService/Forget 3");
});

test("the worker of the README greets when it is asked to, and says how often when it exits", async () => {
  const host = new PlainHost();
  const exits: string[] = [];
  const replies: unknown[] = [];
  const kernel = "dropthrough.kernel.v1.KernelService";
  host.methods.set(`${kernel}/AtExit`, () => failure(9, "this is a command"));
  host.methods.set(`${kernel}/Exit`, (bytes) => {
    const { code, reason } = fromBinary(ExitRequestSchema, bytes);
    exits.push(`${code} ${reason}`);
    throw new GuestExit();
  });
  let left = 2;
  host.typed(`${kernel}/Receive`, ReceiveRequestSchema, ReceiveResponseSchema, () => {
    const reply = host.taken();
    if (reply instanceof Uint8Array) replies.push(fromBinary(FindResponseSchema, reply).phrase);
    if (left-- === 0) return { event: { case: "exit" as const, value: { code: 4 } } };
    const request = Uint8Array.of(10, 3, 65, 100, 97);
    host.give(request);
    const method = host.bound.indexOf("greeter.v1.GreeterService/Greet");
    return {
      event: {
        case: "incoming" as const,
        value: { call: 0xff_fffe, method, length: request.length },
      },
    };
  });
  await expect(start("worker.ts", host)).rejects.toThrow(GuestExit);
  expect(replies).toEqual(["Hi, Ada (1)", "Hi, Ada (2)"]);
  // What was to be done at exit came after the reason was made.
  expect(exits).toEqual(["4 greeted 2"]);
});
