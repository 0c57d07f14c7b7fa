import {
  type Attributes,
  type Context,
  context,
  INVALID_TRACEID,
  type MeterProvider,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace as traces,
} from '@opentelemetry/api';
import type { PartlyAdmitted } from '../admission.js';
import type { TraceContext } from '../forward/trace-context.js';
import type { RequestHead } from '../head/head.js';
import { type ActiveRequests, activeRequests } from './active-requests.js';
import { callAttributes, endAttributes } from './attributes.js';
import { DURATION_BUCKETS_S } from './duration-buckets.js';
import { LINKED_ROOT, LinkedContext } from './linked-context.js';
import type { RequestEnd, RequestTelemetry, Telemetry } from './telemetry.js';

/** Name of the tracer and the meter. */
export const INSTRUMENTATION_NAME = '@caracal/core';

/** Where spans and metrics go. Default: the providers registered globally. */
export interface OpenTelemetryOptions {
  readonly tracerProvider?: TracerProvider;
  readonly meterProvider?: MeterProvider;
}

/**
 * Spans and metrics by the OpenTelemetry HTTP semantic conventions: a server span and, where the request goes upstream,
 * a client span below it; `http.server.request.duration`, `http.server.active_requests`,
 * `http.client.request.duration`. No attribute holds a query, a header value, a token or an unbounded text.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  const tracer = (options.tracerProvider ?? traces.getTracerProvider()).getTracer(INSTRUMENTATION_NAME);
  const meterProvider = options.meterProvider ?? metrics.getMeterProvider();
  const meter = meterProvider.getMeter(INSTRUMENTATION_NAME);
  const buckets = { advice: { explicitBucketBoundaries: [...DURATION_BUCKETS_S] } };
  const instruments: Instruments = {
    tracer,
    active: activeRequests(meterProvider, INSTRUMENTATION_NAME),
    ofEnd: endAttributes(),
    ofCall: callAttributes(),
    serverDuration: meter.createHistogram('http.server.request.duration', { unit: 's', ...buckets }),
    clientDuration: meter.createHistogram('http.client.request.duration', { unit: 's', ...buckets }),
  };
  return {
    received: (head, incoming) => new MeasuredRequest(instruments, head, incoming),
  };
}

interface Instruments {
  readonly tracer: ReturnType<TracerProvider['getTracer']>;
  readonly active: ReturnType<typeof activeRequests>;
  readonly ofEnd: ReturnType<typeof endAttributes>;
  readonly ofCall: ReturnType<typeof callAttributes>;
  readonly serverDuration: { record(value: number, attributes: Attributes): void };
  readonly clientDuration: { record(value: number, attributes: Attributes): void };
}

class MeasuredRequest implements RequestTelemetry {
  readonly trace: TraceContext;
  readonly #instruments: Instruments;
  readonly #method: string;
  readonly #active: ActiveRequests;
  readonly #incoming: TraceContext;
  readonly #serverContext: Context;
  readonly #server: Span;
  readonly #startedAt = performance.now();
  #client: Span | undefined;
  #clientStartedAt = 0;

  constructor(instruments: Instruments, head: RequestHead, incoming: TraceContext) {
    this.#instruments = instruments;
    this.#method = knownMethod(head.method);
    this.#incoming = incoming;
    this.#active = instruments.active(this.#method);
    const parent = incoming.continued ? remote(incoming) : LINKED_ROOT;
    this.#server = instruments.tracer.startSpan(
      this.#method,
      { kind: SpanKind.SERVER, attributes: this.#active.attributes },
      parent,
    );
    this.#serverContext = traces.setSpan(parent, this.#server);
    this.trace = traceOf(this.#server, incoming);
    this.#active.count += 1;
  }

  forwarding({ resource }: PartlyAdmitted): TraceContext {
    const attributes = this.#instruments.ofCall(resource?.upstream).begun(this.#method);
    this.#clientStartedAt = performance.now();
    this.#client?.end(); // sent once more, with a renewed credential
    this.#client = this.#instruments.tracer.startSpan(
      this.#method,
      { kind: SpanKind.CLIENT, attributes },
      this.#serverContext,
    );
    return traceOf(this.#client, this.#incoming);
  }

  finished(admission: PartlyAdmitted, end: RequestEnd): void {
    const { resource, operation, request } = admission;
    const now = performance.now();
    const { serverDuration, ofEnd } = this.#instruments;
    const attributes = ofEnd(this.#method, admission, end);
    serverDuration.record((now - this.#startedAt) / 1000, attributes);
    this.#active.count -= 1;
    this.#endClient(resource, end, now);
    if (operation !== undefined) this.#server.updateName(`${this.#method} ${operation.template}`);
    this.#server.setAttributes(attributes);
    this.#server.setAttribute('caracal.request_id', admission.requestId);
    if (request !== undefined) this.#server.setAttribute('url.path', request.path);
    if (end.code !== undefined) this.#server.setAttribute('caracal.error', end.code);
    // Semantic conventions: a 4xx is not the server's error.
    if (end.status === undefined || end.status >= 500) this.#server.setStatus({ code: SpanStatusCode.ERROR });
    this.#server.end();
  }

  #endClient(resource: PartlyAdmitted['resource'], { settlement }: RequestEnd, now: number): void {
    if (this.#client === undefined || settlement === undefined) return;
    const { upstreamStatus, attempts } = settlement;
    const attributes = this.#instruments.ofCall(resource?.upstream).ended(this.#method, settlement);
    this.#instruments.clientDuration.record((now - this.#clientStartedAt) / 1000, attributes);
    this.#client.setAttributes(attributes);
    if (attempts > 1) this.#client.setAttribute('http.request.resend_count', attempts - 1);
    if (upstreamStatus === undefined || upstreamStatus >= 400) this.#client.setStatus({ code: SpanStatusCode.ERROR });
    this.#client.end();
  }
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE']);

// A caller chooses the method: as a label it must come from a closed set.
function knownMethod(method: string): string {
  return KNOWN_METHODS.has(method) ? method : '_OTHER';
}

function remote({ traceId, spanId, sampled }: TraceContext): Context {
  const parent = new LinkedContext(context.active());
  return traces.setSpanContext(parent, { traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true });
}

function traceOf(span: Span, incoming: TraceContext): TraceContext {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (traceId === INVALID_TRACEID) return incoming; // no SDK is registered: pass on what came
  const sampled = (traceFlags & 1) === 1;
  const traceparent = `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`;
  return { traceId, spanId, sampled, traceparent, tracestate: incoming.tracestate, continued: true };
}
