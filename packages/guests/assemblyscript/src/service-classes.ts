import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { fileNames } from "./file-names.ts";
import { METHOD_NAMES, NameScope } from "./reserved-names.ts";
import type { SourceText } from "./source-text.ts";

/** A method with the name that it has in the client and in the server. */
interface Rpc {
  readonly method: DescMethod;
  readonly name: string;
}

/** Prints the client and the abstract server of a service. Streaming methods are left out. */
export function printService(source: SourceText, service: DescService): void {
  const scope = new NameScope(METHOD_NAMES);
  const unary = service.methods
    .filter((method) => method.methodKind === "unary")
    .map((method): Rpc => ({
      method,
      name: scope.take(method.name.charAt(0).toLowerCase() + method.name.slice(1)),
    }));
  printClient(source, service, unary);
  printServer(source, service, unary, scope);
}

function printStreaming(source: SourceText, service: DescService): void {
  for (const method of service.methods) {
    if (method.methodKind === "unary") continue;
    source.line("");
    source.line(
      `  // ${method.name} is left out: it is ${method.methodKind.replace("_", " ")}, and calls of the ABI are unary.`,
    );
  }
}

function printClient(source: SourceText, service: DescService, unary: readonly Rpc[]): void {
  const method = source.runtime("Method");
  const result = source.runtime("Result");
  const calls = `Calls ${service.typeName}. Each method is bound when it is first called.`;
  source.commentAfter(calls, service, "");
  source.line(`export class ${fileNames(service.file).clients.get(service)} {`);
  source.line("  /** The full name of the service, for `require`. */");
  source.line(`  static readonly service: string = "${service.typeName}";`);
  for (const { method: rpc, name } of unary) {
    const full = `${service.typeName}/${rpc.name}`;
    source.line(
      `  /** The method ${rpc.name} itself: for calls with bytes, and for \`Incoming.forward\`. */`,
    );
    source.line(`  readonly $${name}: ${method} = new ${method}("${full}");`);
  }
  for (const { method: rpc, name } of unary) {
    const input = source.type(rpc.input);
    const output = source.type(rpc.output);
    source.line("");
    source.comment(rpc, "  ");
    source.line(`  ${name}(request: ${input}, timeoutMs: i32 = 0): ${result}<${output}> {`);
    source.line(`    return this.$${name}.call<${input}, ${output}>(request, timeoutMs);`);
    source.line("  }");
  }
  printStreaming(source, service);
  source.line("}");
  source.line("");
}

function printServer(
  source: SourceText,
  service: DescService,
  unary: readonly Rpc[],
  scope: NameScope,
): void {
  const result = source.runtime("Result");
  const incoming = source.runtime("Incoming");
  const names = unary.map(({ method }) => `"${method.name}"`).join(", ");
  const serves = `Serves ${service.typeName}: extend it, and give it to \`launch().export()\`.`;
  source.commentAfter(serves, service, "");
  source.line(
    `export abstract class ${fileNames(service.file).servers.get(service)} extends ${source.runtime("Service")} {`,
  );
  for (const { method, name } of unary) {
    source.comment(method, "  ");
    source.line(
      `  abstract ${name}(request: ${source.type(method.input)}): ${result}<${source.type(method.output)}>;`,
    );
    source.line("");
  }
  source.line("  serviceName(): string {");
  source.line(`    return "${service.typeName}";`);
  source.line("  }");
  source.line("");
  source.line("  methodNames(): string[] {");
  source.line(`    return [${names}];`);
  source.line("  }");
  const hooks = unary.map((rpc) => ({ ...rpc, hook: scope.take(`answer${rpc.method.name}`) }));
  for (const { method, name, hook } of hooks) {
    const input = source.type(method.input);
    source.line("");
    source.line(`  /** Answers a call of ${method.name}. Override it to work on bytes. */`);
    source.line(`  ${hook}(call: ${incoming}): void {`);
    source.line(`    const request = call.decode<${input}>();`);
    source.line(
      `    if (request !== null) call.answer<${source.type(method.output)}>(this.${name}(request));`,
    );
    source.line("  }");
  }
  source.line("");
  source.line(`  answerCall(index: i32, call: ${incoming}): void {`);
  source.line("    switch (index) {");
  hooks.forEach(({ hook }, at) => {
    source.line(`      case ${at}:`);
    source.line(`        return this.${hook}(call);`);
  });
  source.line("    }");
  source.line("  }");
  printStreaming(source, service);
  source.line("}");
  source.line("");
}
