import {
  type Attributes,
  type Context,
  context,
  type MeterProvider,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace as traces,
} from '@opentelemetry/api';
import type { PartlyAdmitted } from '../admission.js';
import type { TraceContext } from '../forward/trace-context.js';
import type { RequestHead } from '../head/head.js';
import { boundedLabels } from './labels.js';
import type { RequestEnd, RequestTelemetry, Telemetry } from './telemetry.js';

/** Name of the tracer and the meter. */
export const INSTRUMENTATION_NAME = '@caracal/core';

/** Bucket boundaries of duration histograms, s. @see OpenTelemetry HTTP semantic conventions, `http.server.request.duration` */
export const DURATION_BUCKETS_S: readonly number[] = Object.freeze([
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]);

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
  const meter = (options.meterProvider ?? metrics.getMeterProvider()).getMeter(INSTRUMENTATION_NAME);
  const buckets = { advice: { explicitBucketBoundaries: [...DURATION_BUCKETS_S] } };
  const instruments: Instruments = {
    labels: boundedLabels(),
    serverDuration: meter.createHistogram('http.server.request.duration', { unit: 's', ...buckets }),
    clientDuration: meter.createHistogram('http.client.request.duration', { unit: 's', ...buckets }),
    active: meter.createUpDownCounter('http.server.active_requests', { unit: '{request}' }),
  };
  return {
    received: (head, incoming) => new MeasuredRequest(tracer, instruments, head, incoming),
  };
}

interface Instruments {
  readonly labels: ReturnType<typeof boundedLabels>;
  readonly serverDuration: { record(value: number, attributes: Attributes): void };
  readonly clientDuration: { record(value: number, attributes: Attributes): void };
  readonly active: { add(value: number, attributes: Attributes): void };
}

type Tracer = ReturnType<TracerProvider['getTracer']>;

class MeasuredRequest implements RequestTelemetry {
  readonly trace: TraceContext;
  readonly #tracer: Tracer;
  readonly #instruments: Instruments;
  readonly #method: string;
  readonly #incoming: TraceContext;
  readonly #serverContext: Context;
  readonly #server: Span;
  readonly #startedAt = performance.now();
  #client: Span | undefined;
  #clientStartedAt = 0;

  constructor(tracer: Tracer, instruments: Instruments, head: RequestHead, incoming: TraceContext) {
    this.#tracer = tracer;
    this.#instruments = instruments;
    this.#method = knownMethod(head.method);
    this.#incoming = incoming;
    const parent = incoming.continued ? remote(incoming) : ROOT_CONTEXT;
    this.#server = tracer.startSpan(
      this.#method,
      { kind: SpanKind.SERVER, attributes: this.#requestAttributes() },
      parent,
    );
    this.#serverContext = traces.setSpan(parent, this.#server);
    this.trace = traceOf(this.#server, incoming);
    instruments.active.add(1, this.#requestAttributes());
  }

  forwarding({ resource }: PartlyAdmitted): TraceContext {
    const host = resource?.upstream?.host;
    this.#clientStartedAt = performance.now();
    this.#client?.end(); // sent once more, with a renewed credential
    this.#client = this.#tracer.startSpan(
      this.#method,
      { kind: SpanKind.CLIENT, attributes: { 'http.request.method': this.#method, ...serverAddress(host) } },
      this.#serverContext,
    );
    return traceOf(this.#client, this.#incoming);
  }

  finished(admission: PartlyAdmitted, end: RequestEnd): void {
    const { resource, operation, request } = admission;
    const labels = this.#instruments.labels(resource?.identifier, operation?.template);
    const attributes: Attributes = {
      ...this.#requestAttributes(),
      ...definite('http.response.status_code', end.status),
      ...definite('http.route', labels.template),
      ...definite('caracal.resource', labels.resource),
      ...definite('caracal.provider.kind', resource?.provider.kind),
      'caracal.outcome': end.settlement?.outcome ?? 'refused',
      ...errorType(end.code, end.status, 500),
    };
    this.#instruments.serverDuration.record((performance.now() - this.#startedAt) / 1000, attributes);
    this.#instruments.active.add(-1, this.#requestAttributes());
    this.#endClient(admission, end);
    if (operation !== undefined) this.#server.updateName(`${this.#method} ${operation.template}`);
    this.#server.setAttributes({
      ...attributes,
      ...definite('url.path', request?.path),
      'caracal.request_id': admission.requestId,
      ...definite('caracal.error', end.code),
    });
    // Semantic conventions: a 4xx is not the server's error.
    if (end.status === undefined || end.status >= 500) this.#server.setStatus({ code: SpanStatusCode.ERROR });
    this.#server.end();
  }

  #endClient({ resource }: PartlyAdmitted, { settlement }: RequestEnd): void {
    if (this.#client === undefined || settlement === undefined) return;
    const { upstreamStatus, attempts, outcome } = settlement;
    const attributes: Attributes = {
      'http.request.method': this.#method,
      ...serverAddress(resource?.upstream?.host),
      ...definite('http.response.status_code', upstreamStatus),
      ...(upstreamStatus === undefined ? { 'error.type': outcome } : errorType(undefined, upstreamStatus, 400)),
    };
    this.#instruments.clientDuration.record((performance.now() - this.#clientStartedAt) / 1000, attributes);
    this.#client.setAttributes(attributes);
    if (attempts > 1) this.#client.setAttribute('http.request.resend_count', attempts - 1);
    if (upstreamStatus === undefined || upstreamStatus >= 400) this.#client.setStatus({ code: SpanStatusCode.ERROR });
    this.#client.end();
  }

  #requestAttributes(): Attributes {
    return { 'http.request.method': this.#method, 'url.scheme': 'http' };
  }
}

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE']);

// A caller chooses the method: as a label it must come from a closed set.
function knownMethod(method: string): string {
  return KNOWN_METHODS.has(method) ? method : '_OTHER';
}

function definite(name: string, value: string | number | undefined): Attributes {
  return value === undefined ? {} : { [name]: value };
}

function errorType(code: string | undefined, status: number | undefined, from: number): Attributes {
  if (code !== undefined) return { 'error.type': code };
  return status !== undefined && status >= from ? { 'error.type': String(status) } : {};
}

function serverAddress(host: string | undefined): Attributes {
  if (host === undefined) return {};
  const separator = host.lastIndexOf(':');
  if (separator === -1 || host.endsWith(']')) return { 'server.address': host };
  return { 'server.address': host.slice(0, separator), 'server.port': Number(host.slice(separator + 1)) };
}

function remote({ traceId, spanId, sampled }: TraceContext): Context {
  return traces.setSpanContext(context.active(), { traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true });
}

function traceOf(span: Span, incoming: TraceContext): TraceContext {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const unusable = /^0+$/.test(traceId);
  if (unusable) return incoming; // no SDK is registered: pass on what came
  const sampled = (traceFlags & 1) === 1;
  const traceparent = `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`;
  return { ...incoming, traceId, spanId, sampled, traceparent, continued: true };
}
