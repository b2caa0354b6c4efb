// A command: does what its first argument says.
import { args, exit, kernel, launch } from "@dropthrough/assemblyscript/assembly";
import { ServicesRequest } from "@dropthrough/assemblyscript/assembly/gen/dropthrough/kernel/v1/kernel";

export function main(): void {
  const list = args();
  const what = list.length > 0 ? list[0] : "";
  if (what == "return") return;
  if (what == "exit") exit(7, list.join(" "));
  launch("commander").require("a.v1.A").require("b.v1.B").runOrExit();
  const services = kernel().services(new ServicesRequest());
  exit(services.ok ? services.value.services.length : 99);
}
