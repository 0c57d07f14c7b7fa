// The bare relay with the least an instrumentation can do that gives what the HTTP semantic conventions require: a server span, a client
// span below it whose place in the trace goes upstream, and the durations of both. What nobody who makes them can avoid.
import { createServer } from 'node:http';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { Pool } from 'undici';
import { RelayAnswer, relayed } from '../relay-answer.mjs';
import { droppingSdk } from '../sdk.mjs';
import { serve } from '../serve.mjs';

const ROUTE = '/v1/invoices/{id}';
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

await serve(async ({ upstreamUrl }) => {
  const { tracerProvider, meterProvider } = await droppingSdk();
  const tracer = tracerProvider.getTracer('bench');
  const meter = meterProvider.getMeter('bench');
  const duration = (name) => meter.createHistogram(name, { unit: 's', advice: { explicitBucketBoundaries: BUCKETS } });
  const { hostname, port } = new URL(upstreamUrl);
  const upstream = { 'http.request.method': 'GET', 'server.address': hostname, 'server.port': Number(port) };
  const measures = {
    server: duration('http.server.request.duration'),
    client: duration('http.client.request.duration'),
    serverAttributes: {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': ROUTE,
      'url.scheme': 'http',
    },
    clientAttributes: { ...upstream, 'http.response.status_code': 200 },
  };
  const pool = new Pool(upstreamUrl, { pipelining: 1 });
  return createServer((req, res) => {
    const path = req.url.slice(0, req.url.indexOf('?'));
    const attributes = { 'http.request.method': 'GET', 'url.path': path, 'url.scheme': 'http' };
    const server = tracer.startSpan(`GET ${ROUTE}`, { kind: SpanKind.SERVER, attributes }, ROOT_CONTEXT);
    const client = tracer.startSpan(
      'GET',
      { kind: SpanKind.CLIENT, attributes: { ...upstream, 'url.full': upstreamUrl + path } },
      trace.setSpan(ROOT_CONTEXT, server),
    );
    const { traceId, spanId } = client.spanContext();
    const headers = [...req.rawHeaders, 'traceparent', `00-${traceId}-${spanId}-01`];
    pool.dispatch(relayed(req, headers), new MeasuredAnswer(res, { server, client, measures }));
  });
});

class MeasuredAnswer extends RelayAnswer {
  #spans;
  #startedAt = performance.now();

  constructor(res, spans) {
    super(res);
    this.#spans = spans;
  }

  onComplete() {
    super.onComplete();
    const { server, client, measures } = this.#spans;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    measures.client.record(seconds, measures.clientAttributes);
    measures.server.record(seconds, measures.serverAttributes);
    client.setAttribute('http.response.status_code', 200);
    client.end();
    server.setAttribute('http.response.status_code', 200);
    server.setAttribute('http.route', ROUTE);
    server.end();
  }
}
