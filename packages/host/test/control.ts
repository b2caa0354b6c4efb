import { create, toBinary } from "@bufbuild/protobuf";
import { type Backend, callerOf, defineBackend } from "@dropthrough/dispatch";
import { EchoService } from "@dropthrough/dispatch/testing";

/** The service that guests of these tests export to each other. */
export const FACADE = "test.v1.FacadeService";

/** The contract of the echo service under another name. */
export function renamed(typeName: string): typeof EchoService {
  const service = { ...EchoService, typeName };
  service.methods = EchoService.methods.map((method) => ({ ...method, parent: service }));
  const named = service.methods.map((method) => [method.localName, method]);
  return Object.assign(service, { method: Object.fromEntries(named) });
}

const service = renamed("test.v1.ControlService");

/** What the kernel does for real: lets a guest of these tests use its `Guest`. The payload is the command. */
export function control(log: string[] = []): Backend {
  return defineBackend({
    name: "control",
    service,
    impl: {
      echo({ payload }, context) {
        const caller = callerOf(context);
        const [verb, argument = ""] = Buffer.from(payload).toString().split(" ");
        if (verb === "export") caller.guest?.export(argument);
        else if (verb === "require") caller.guest?.require(argument);
        else if (verb === "launch") caller.guest?.launch();
        else if (verb === "exit") caller.guest?.exit(Number(argument), "by request");
        else if (verb === "open") caller.defer(() => void log.push(`${caller.name} closed`));
        else log.push(`${caller.name}${caller.instance} ${verb}`);
        return {};
      },
    },
  });
}

export const CONTROL = "test.v1.ControlService/Echo";
export const ECHO = "dropthrough.testing.v1.EchoService/Echo";

/** An encoded EchoRequest. */
export function echoRequest(
  payload: string,
  more: { delayMs?: number; code?: number; message?: string } = {},
): Uint8Array {
  const desc = EchoService.method.echo.input;
  return toBinary(desc, create(desc, { payload: Buffer.from(payload), ...more }));
}
