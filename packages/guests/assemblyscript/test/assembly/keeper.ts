// A reactor that serves, and has something to do before it ends.
import { atExit, launch, Method, PassThrough } from "@dropthrough/assemblyscript/assembly";

const note = new Method("test.v1.NoteService/Note");

export function main(): void {
  launch("keeper")
    .export(new PassThrough("test.v1.EchoService", ["Echo"], "test.v1.NoteService"))
    .runOrExit();
  atExit(() => {
    note.callBytes(Uint8Array.wrap(String.UTF8.encode("kept")));
  });
  atExit(() => {
    note.callBytes(Uint8Array.wrap(String.UTF8.encode("keeping")));
  });
}
