import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { Clock } from "@dropthrough/dispatch";
import type { DiskPath } from "./disk.ts";
import type { FileLimits } from "./file-limits.ts";
import type { ReadEventsRequest, WatchRequest } from "./gen/dropthrough/file/v1/file_pb.ts";
import { type Events, Watch, WatchRoom } from "./watch.ts";

const MOST_KEPT = 16_384;
const MOST_WAIT_MS = 60_000;

interface Open {
  readonly watch: Watch;
  /** Reads that have not been answered. */
  reading: number;
  stopIdle: () => void;
}

/** The watches of one guest instance. They end with it, and when it has not read them for long. */
export class Watches implements Disposable {
  readonly #idleMs: number;
  readonly #room: WatchRoom;
  readonly #clock: Clock;
  readonly #open = new Map<bigint, Open>();
  #last = 0n;
  #ended = false;

  constructor({ idleMs, watches }: FileLimits, clock: Clock) {
    this.#idleMs = idleMs;
    this.#room = new WatchRoom(watches);
    this.#clock = clock;
  }

  /** @throws ConnectError INVALID_ARGUMENT, RESOURCE_EXHAUSTED, FAILED_PRECONDITION; ABORTED if the guest has ended; NodeJS.ErrnoException */
  add(at: DiskPath, { recursive, buffer }: WatchRequest): bigint {
    if (this.#ended) throw new ConnectError("the guest has ended", Code.Aborted);
    checkMost(buffer);
    const watch = new Watch(at, recursive, buffer === 0 ? 1024 : buffer, this.#room);
    const number = ++this.#last;
    this.#open.set(number, { watch, reading: 0, stopIdle: this.#idle(number) });
    return number;
  }

  /** @throws ConnectError INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION */
  read(
    { watch: number, most, waitMs }: ReadEventsRequest,
    context: HandlerContext,
  ): Events | Promise<Events> {
    checkMost(most);
    if (waitMs > MOST_WAIT_MS) {
      const message = `a read waits ${MOST_WAIT_MS} ms at most: read again`;
      throw new ConnectError(message, Code.InvalidArgument);
    }
    const open = this.#get(number);
    const answer = open.watch.read(most === 0 ? 256 : most, waitMs, context, this.#clock);
    open.stopIdle();
    open.reading++;
    const done = (): void => {
      open.reading--;
      if (!this.#open.has(number)) return;
      if (open.watch.isOver) this.end(number);
      else if (open.reading === 0) open.stopIdle = this.#idle(number);
    };
    if (answer instanceof Promise) return answer.finally(done);
    done();
    return answer;
  }

  /** @throws ConnectError NOT_FOUND */
  end(number: bigint): void {
    const { watch, stopIdle } = this.#get(number);
    this.#open.delete(number);
    stopIdle();
    watch[Symbol.dispose]();
  }

  #get(number: bigint): Open {
    const open = this.#open.get(number);
    if (open !== undefined) return open;
    throw new ConnectError(
      `${number} is no watch: use what Watch answered; one that is not read for ${this.#idleMs / 1000} s is ended, and so is that of a directory that is gone`,
      Code.NotFound,
    );
  }

  #idle(number: bigint): () => void {
    return this.#clock.after(this.#idleMs, () => this.end(number));
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    for (const number of this.#open.keys()) this.end(number);
  }
}

function checkMost(most: number): void {
  if (most <= MOST_KEPT) return;
  const message = `a watch keeps ${MOST_KEPT} events at most`;
  throw new ConnectError(message, Code.InvalidArgument);
}
