// A guest with proto2, editions, clashing names and a service that is passed through whole.
import { launch, ok, PassThrough, Result } from "@dropthrough/assemblyscript/assembly";
import { Message, Names, NamesServiceServer, Result as NamesResult } from "./gen/kitchen/v1/names";
import { Legacy } from "./gen/pantry/v1/legacy";
import { Modern, PantryServiceServer } from "./gen/pantry/v1/pantry";

class Pantry extends PantryServiceServer {
  keepLegacy(request: Legacy): Result<Legacy> {
    return ok(request);
  }

  keepModern(request: Modern): Result<Modern> {
    return ok(request);
  }

  defaults(request: Modern): Result<Modern> {
    const legacy = new Legacy();
    legacy.count = 5;
    legacy.clearCount();
    request.text = [
      legacy.count.toString(),
      legacy.label,
      legacy.raw.toString(),
      legacy.far.toString(),
      legacy.low.toString(),
      legacy.high.toString(),
      legacy.on.toString(),
      legacy.shelf.toString(),
      legacy.small.toString(),
      legacy.least.toString(),
      legacy.hasCount.toString(),
    ].join("|");
    return ok(request);
  }
}

class Clashes extends NamesServiceServer {
  get(request: Names): Result<Names> {
    return ok(request);
  }
  set(request: Names): Result<Names> {
    request.hasFoo = request.hasFoo$ ? 1 : 2;
    request.clearFoo$();
    return ok(request);
  }
  delete(request: Names): Result<Names> {
    return ok(request);
  }
  constructor$(request: Names): Result<Names> {
    return ok(request);
  }
  static$(request: Names): Result<Names> {
    return ok(request);
  }
  serviceName$(request: Names): Result<Names> {
    return ok(request);
  }
  answerCall$(request: Names): Result<Names> {
    return ok(request);
  }
  answerGet(request: Names): Result<Names> {
    return ok(request);
  }
  service(request: Names): Result<Names> {
    return ok(request);
  }
  export(request: NamesResult): Result<Message> {
    const inner = request.ok;
    return ok<Message>(inner !== null ? inner : new Message());
  }
}

export function main(): void {
  launch("pantry")
    .export(new Pantry())
    .export(new Clashes())
    .export(new PassThrough("pantry.v1.MirrorService", ["Get"], "kitchen.v1.StoreService"))
    .require("kitchen.v1.StoreService")
    .runOrExit();
}
