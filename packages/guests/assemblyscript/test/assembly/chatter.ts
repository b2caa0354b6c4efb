// A command that writes records of every kind.
import {
  args,
  attributes,
  Code,
  console,
  Level,
  log,
  Status,
  values,
} from "@dropthrough/assemblyscript/assembly";

export function main(): void {
  const list = args();
  if (list.length > 0 && list[0] == "console") {
    console.log("one\ntwo\n\nfour\n");
    console.debug("d");
    console.info();
    console.warn("w");
    console.error("e");
    return;
  }
  log.trace("t");
  log.debug("d", attributes());
  log.info(
    "i",
    attributes()
      .string("s", "ü")
      .int("int", i64.MIN_VALUE)
      .double("double", 1.5)
      .bool("bool", true)
      .bytes("bytes", bytes())
      .list(
        "list",
        values()
          .string("a")
          .int(1)
          .double(0.5)
          .bool(false)
          .bytes(bytes())
          .list(values())
          .map(attributes().int("n", 1)),
      )
      .map("map", attributes().map("inner", attributes().string("k", "v"))),
  );
  log.warn("w", null, newStatusOf(Code.NOT_FOUND, "no such key"));
  log.error("e", attributes().int("n", 1), newStatusOf(Code.UNAVAILABLE, ""));
  log.fatal("f");
  log.info(log.enabled(Level.DEBUG) ? "debug is on" : "debug is off");
  log.info(log.enabled(Level.INFO) ? "info is on" : "info is off");
}

function newStatusOf(code: i32, message: string): Status {
  const status = new Status();
  status.code = code;
  status.message = message;
  return status;
}

function bytes(): Uint8Array {
  const it = new Uint8Array(2);
  it[0] = 1;
  it[1] = 255;
  return it;
}
