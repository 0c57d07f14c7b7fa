import type { PartlyAdmitted } from '../admission.js';
import type { ErrorCode } from '../errors.js';
import type { Settlement } from '../exchange.js';
import type { TraceContext } from '../forward/trace-context.js';
import type { RequestHead } from '../head/head.js';

/** How a request ended, for spans and metrics. */
export interface RequestEnd {
  readonly status: number | undefined;
  readonly code: ErrorCode | undefined;
  /** `undefined` for a request that was refused at admission. */
  readonly settlement: Settlement | undefined;
}

/** What is measured of one request. */
export interface RequestTelemetry {
  /** The request's place in its trace, for the record. */
  readonly trace: TraceContext;
  /** The request goes upstream: answers the trace context to send with it. */
  forwarding(admission: PartlyAdmitted): TraceContext;
  finished(admission: PartlyAdmitted, end: RequestEnd): void;
}

/** Measures requests. Must not throw. See `openTelemetry` of `@caracal/core/opentelemetry`. */
export interface Telemetry {
  /** `trace`: what the caller sent, or a new trace. */
  received(head: RequestHead, trace: TraceContext): RequestTelemetry;
}
