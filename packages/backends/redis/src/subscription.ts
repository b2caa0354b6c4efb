import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CallContext, Listener, Now } from "./connection.ts";
import type { MessageSchema, PollResponseSchema } from "./gen/dropthrough/redis/v1/pubsub_pb.ts";
import type { Keyspace } from "./keyspace.ts";
import { fromReply } from "./redis-error.ts";
import { DEFAULT_REDIS_LIMITS } from "./redis-limits.ts";

type Message = MessageInitShape<typeof MessageSchema>;
type PollResponse = MessageInitShape<typeof PollResponseSchema>;

interface Kept {
  readonly message: Message;
  readonly bytes: number;
}

/** Bytes that a subscription keeps, and that one poll answers: an answer has to fit through the boundary. */
const MOST_KEPT = DEFAULT_REDIS_LIMITS.messageBytes;
const MOST_ANSWERED = 2 * 2 ** 20;

/**
 * What was said on some channels, until it is polled.
 *
 * ```text
 *  lost ◀── dropped when full ── │ oldest … newest │ ◀── message
 *                        poll ◀──┘
 * ```
 */
export class Subscription implements Listener, AsyncDisposable {
  /** What brings the messages; closed with the subscription. */
  source: AsyncDisposable | undefined;
  readonly #most: number;
  readonly #keys: Keyspace;
  #kept: Kept[] = [];
  /** Polls that have taken something. */
  #takes = 0;
  #bytes = 0;
  #lost = 0n;
  #interruptions = 0n;
  #refusal: Error | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(most: number, keys: Keyspace) {
    this.#most = most;
    this.#keys = keys;
  }

  message(channel: Uint8Array, body: Uint8Array, pattern?: Uint8Array): void {
    const bytes = channel.length + body.length + (pattern?.length ?? 0);
    if (bytes > MOST_ANSWERED) {
      this.#lost++;
    } else {
      const message = {
        channel: this.#keys.strip(channel),
        message: body,
        ...(pattern !== undefined && { pattern: this.#keys.stripPattern(pattern) }),
      };
      this.#kept.push({ message, bytes });
      this.#bytes += bytes;
    }
    this.#fit();
    this.#wake?.();
  }

  #fit(): void {
    while (this.#kept.length > this.#most || this.#bytes > MOST_KEPT) {
      this.#bytes -= this.#kept.shift()?.bytes ?? 0;
      this.#lost++;
    }
  }

  interrupted(): void {
    this.#interruptions++;
    this.#wake?.();
  }

  refused(reply: Error): void {
    this.#refusal = reply;
    this.#wake?.();
  }

  /**
   * @throws ConnectError FAILED_PRECONDITION if another poll is waiting; NOT_FOUND if it is closed meanwhile; PERMISSION_DENIED
   * and others if the server has refused it, and what was kept before that is taken
   */
  poll(most: number, waitMs: number, context: CallContext): Now<PollResponse> {
    if (!this.#isEmpty || this.#refusal !== undefined || waitMs === 0)
      return this.#take(most, context);
    if (this.#wake !== undefined) {
      const message = "another poll of this subscription is waiting";
      throw new ConnectError(message, Code.FailedPrecondition);
    }
    const { signal } = context;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", gone);
        this.#wake = undefined;
        try {
          resolve(this.#take(most, context));
        } catch (error) {
          reject(error);
        }
      };
      // A caller that has gone takes nothing with it: what comes is for the next poll.
      const gone = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        reject(ConnectError.from(signal.reason, Code.Canceled));
      };
      const timer = setTimeout(done, waitMs);
      signal.addEventListener("abort", gone, { once: true });
      this.#wake = done;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.source?.[Symbol.asyncDispose]();
  }

  get #isEmpty(): boolean {
    return this.#kept.length === 0 && this.#lost === 0n && this.#interruptions === 0n;
  }

  #take(most: number, context: CallContext): PollResponse {
    if (this.#closed) throw new ConnectError("the subscription has ended", Code.NotFound);
    if (this.#refusal !== undefined && this.#isEmpty) throw fromReply(this.#refusal);
    if (this.#isEmpty) return { messages: [], lost: 0n, interruptions: 0n };
    let count = 0;
    let bytes = 0;
    for (const kept of this.#kept) {
      if (count === most || bytes + kept.bytes > MOST_ANSWERED) break;
      bytes += kept.bytes;
      count++;
    }
    const taken = this.#kept.splice(0, count);
    const turn = ++this.#takes;
    this.#bytes -= bytes;
    const [lost, interruptions] = [this.#lost, this.#interruptions];
    this.#lost = 0n;
    this.#interruptions = 0n;
    // An interceptor may hold the answer back, and the call be given up meanwhile.
    const back = (): void => {
      this.#lost += lost;
      this.#interruptions += interruptions;
      this.#putBack(taken, turn);
    };
    context.signal.addEventListener("abort", back, { once: true });
    return { messages: taken.map(({ message }) => message), lost, interruptions };
  }

  /** Keeps for the next poll what one has taken in vain; behind what another took since, it would be out of order. */
  #putBack(taken: readonly Kept[], turn: number): void {
    if (this.#takes === turn) {
      this.#kept.unshift(...taken);
      this.#bytes += taken.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#fit();
    } else this.#lost += BigInt(taken.length);
    this.#wake?.();
  }
}
