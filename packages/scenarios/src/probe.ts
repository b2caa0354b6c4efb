import { type Backend, callerOf, defineBackend } from "@dropthrough/dispatch";
import { EchoService } from "@dropthrough/dispatch/testing";

const service = renamed("scenario.v1.ProbeService");

/** What a guest of these scenarios calls first whenever it serves. */
export const PROBE = "scenario.v1.ProbeService/Echo";

/** The contract of the echo service under another name. */
export function renamed(typeName: string): typeof EchoService {
  const copy = { ...EchoService, typeName };
  copy.methods = EchoService.methods.map((method) => ({ ...method, parent: copy }));
  const named = copy.methods.map((method) => [method.localName, method]);
  return Object.assign(copy, { method: Object.fromEntries(named) });
}

/** A backend that hears of every call that a guest serves, in the state that the guest is in then. */
export function probe(serving: (guest: string, state: string) => void): Backend {
  return defineBackend({
    name: "probe",
    service,
    impl: {
      echo(_, context) {
        const { name, instance, guest } = callerOf(context);
        serving(`${name}${instance}`, guest?.state ?? "none");
        return {};
      },
    },
  });
}
