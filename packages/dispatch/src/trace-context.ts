/** Where a call stands in a distributed trace, as W3C Trace Context has it. */
export interface TraceContext {
  /** 32 hexadecimal digits; the same for a call and all calls made on its behalf. */
  readonly traceId: string;
  /** 16 hexadecimal digits: this call. */
  readonly spanId: string;
  /** The call that it was made for, or what the program said; undefined where the trace begins here. */
  readonly parentSpanId: string | undefined;
  /** 0 to 255; bit 0 says that the trace is recorded. */
  readonly flags: number;
}

/** What a `traceparent` header says. */
export type TraceParent = Omit<TraceContext, "parentSpanId">;

// A later version may have more behind the flags.
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})($|-)/;
const RECORDED = 1;

/** Reads a `traceparent` header, `00-<trace id>-<span id>-<flags>`; undefined if it is none. */
export function readTraceparent(header: string): TraceParent | undefined {
  const [all, version, traceId = "", spanId = "", flags = ""] = TRACEPARENT.exec(header) ?? [];
  if (all === undefined || (version === "00" && all.length !== header.length)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

/** Writes a `traceparent` header, for what a backend calls in turn. */
export function writeTraceparent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}

/** A call of its own, in the trace that it was made in; without one a trace begins. */
export function newSpan(parent: TraceParent | undefined): TraceContext {
  return {
    traceId: parent?.traceId ?? randomId(16),
    spanId: randomId(8),
    parentSpanId: parent?.spanId,
    flags: parent?.flags ?? RECORDED,
  };
}

function randomId(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  const id = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return /^0+$/.test(id) ? randomId(bytes) : id;
}
