import { Incoming } from "./incoming";
import { Method } from "./method";

/** A service that this guest serves. Generated servers extend it; so can you, to work on bytes. */
export abstract class Service {
  /** Its full name, such as "words.v1.WordsService". */
  abstract serviceName(): string;

  /** The names of its methods, in the order of `answerCall`'s index. */
  abstract methodNames(): string[];

  /** Answers a call of the method `methodNames()[index]`. */
  abstract answerCall(index: i32, call: Incoming): void;
}

/** A service that passes every call on to the same methods of another one, byte for byte. */
@final
export class PassThrough extends Service {
  private readonly methods: Method[] = [];

  /** Serves `name` with the methods `names` by calling `target`. */
  constructor(
    private readonly name: string,
    private readonly names: string[],
    target: string,
  ) {
    super();
    for (let i = 0; i < names.length; i++) this.methods.push(new Method(target + "/" + names[i]));
  }

  serviceName(): string {
    return this.name;
  }

  methodNames(): string[] {
    return this.names;
  }

  answerCall(index: i32, call: Incoming): void {
    call.forward(this.methods[index]);
  }
}
