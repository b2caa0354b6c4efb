// A command that serves by asking for its calls, and says what it learnt of its environment.
import {
  answer,
  answerCalls,
  atExit,
  environment,
  launch,
  monotonicNs,
  now,
  ok,
  random,
  receive,
  ReceiveResponse_EventCase,
  Incoming,
  Method,
  Service,
} from "@dropthrough/assemblyscript/assembly";

const note = new Method("test.v1.NoteService/Note");

function say(text: string): void {
  note.callBytes(Uint8Array.wrap(String.UTF8.encode(text)));
}

class Echo extends Service {
  serviceName(): string {
    return "test.v1.EchoService";
  }
  methodNames(): string[] {
    return ["Echo"];
  }
  answerCall(index: i32, call: Incoming): void {
    call.answerBytes(ok(call.bytes()));
  }
}

export function main(): void {
  launch("worker").export(new Echo()).runOrExit();
  atExit(() => say("first registered, last done"));
  atExit(() => say("last registered, first done"));
  const variables = environment();
  const zone = variables.has("TZ") ? variables.get("TZ") : "none";
  say("zone " + zone + " of " + variables.size.toString());
  const time = now();
  say(
    "time " +
      time.seconds.toString() +
      " " +
      time.nanos.toString() +
      " " +
      monotonicNs().toString(),
  );
  say("random " + random(70_000).length.toString() + " " + random(3).toString());
  const first = receive(250);
  if (first.ok && first.value.eventCase == ReceiveResponse_EventCase.TIMEOUT) say("timeout");
  const second = receive(0);
  const call = second.ok ? second.value.incoming : null;
  if (call !== null) answer(call);
  if (zone == "leave") return;
  answerCalls();
}
