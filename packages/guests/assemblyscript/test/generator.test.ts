import { readFileSync } from "node:fs";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { CodeGeneratorRequestSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { parseDescriptorText } from "../src/descriptor-text.ts";
import { plugin } from "../src/plugin.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const kitchen = read("assembly/gen/kitchen/v1/kitchen.ts");
const names = read("assembly/gen/kitchen/v1/names.ts");

/** Runs the generator on the descriptors of the kitchen; answers what it made, by file name. */
function generate(parameter: string): Map<string, string> {
  const set = parseDescriptorText(read("assembly/gen/kitchen/v1/kitchen.descriptors.txt"));
  const protoFile: FileDescriptorProto[] = set.file;
  const fileToGenerate = ["kitchen/v1/kitchen.proto"];
  const response = plugin.run(
    create(CodeGeneratorRequestSchema, { fileToGenerate, protoFile, parameter }),
  );
  return new Map(response.file.map((file) => [file.name ?? "", file.content ?? ""]));
}

test("comments of the .proto file stand over what they speak of", () => {
  expect(kitchen).toContain(
    "/** Everything a field can be. */\n@final\nexport class Dish extends Message {",
  );
  expect(kitchen).toContain("  /** A double. */\n  fDouble: f64 = 0;");
  expect(kitchen).toContain(
    "  /** Fails. */\n  abstract burn(request: StockRequest): Result<StockResponse>;",
  );
  expect(kitchen).toContain(
    "  /** Fails. */\n  burn(request: StockRequest, timeoutMs: i32 = 0): Result<StockResponse> {",
  );
});

test("streaming methods are left out with a word about it", () => {
  expect(kitchen).not.toMatch(/^\s*(abstract )?watch\(/m);
  expect(kitchen).toContain("// Watch is left out: it is server streaming");
});

test("enum values lose the prefix that they share", () => {
  expect(kitchen).toContain("export namespace Taste {\n  export const UNSPECIFIED: i32 = 0;");
});

test("names that are taken get a $ behind them", () => {
  for (const name of [
    "class Map$",
    "class Array$",
    "class r$",
    "constructor$: i32",
    "abstract$: string",
  ]) {
    expect(names).toContain(name);
  }
  // The library's own names give way to the file's.
  expect(names).toContain("export class Message extends Message$");
});

test("classes that come with the library are imported from it, others from beside", () => {
  expect(kitchen).toContain(
    'from "@dropthrough/assemblyscript/assembly/gen/google/protobuf/timestamp"',
  );
  expect(kitchen).toContain('import { Names } from "./names";');
});

test("the option runtime imports the library from elsewhere, relative to the output folder", () => {
  const source = generate("runtime=./lib/index").get("kitchen/v1/kitchen.ts");
  expect(source).toContain('from "../../lib/index"');
  expect(source).toContain('from "../../google/protobuf/timestamp"');
});

test("an option that there is not is an error that names it", () => {
  expect(() => generate("runtme=x")).toThrow('unknown option "runtme=x"');
});

test("the same input makes the same output, comments aside", () => {
  const [again, before] = [generate(""), generate("")];
  expect(again).toEqual(before);
  const descriptors = again.get("kitchen/v1/kitchen.descriptors.txt");
  expect(descriptors).toBe(read("assembly/gen/kitchen/v1/kitchen.descriptors.txt"));
});

test("the descriptors hold the services with all that they import", () => {
  const registry = createFileRegistry(
    parseDescriptorText(read("assembly/gen/pantry/v1/pantry.descriptors.txt")),
  );
  const method = registry.getService("pantry.v1.MirrorService")?.method["get"];
  expect(method?.output.typeName).toBe("kitchen.v1.StockResponse");
});
