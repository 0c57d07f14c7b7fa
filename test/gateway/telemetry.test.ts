import type { Credential, ResourceDefinition } from '@caracal/core';
import { openTelemetry } from '@caracal/core/opentelemetry';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, vi } from 'vitest';
import { fakeWorld, UPSTREAM_KEY } from './fake-world.js';

async function measuredWorld(resource: Partial<ResourceDefinition> = {}) {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const world = await fakeWorld(resource, { telemetry: openTelemetry({ tracerProvider, meterProvider }) });
  const metrics = async () => {
    await reader.forceFlush();
    const scopes = exporter.getMetrics().at(-1)!.scopeMetrics;
    return Object.fromEntries(
      scopes.flatMap(({ metrics: all }) => all.map((metric) => [metric.descriptor.name, metric])),
    );
  };
  return { world, spans, metrics, meterProvider };
}

const CALLER_TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${CALLER_TRACE}-b7ad6b7169203331-01`;

describe('openTelemetry', () => {
  it('makes a server span of the caller’s trace and a client span below it, whose context goes upstream', async () => {
    const { world, spans } = await measuredWorld();
    const mandate = await world.mint();
    await world.send(
      world.head(mandate, { extra: ['traceparent', TRACEPARENT], target: '/v1/invoices/42?q=query-canary' }),
    );
    const [client, server] = spans.getFinishedSpans();
    expect(server).toMatchObject({
      name: 'GET /v1/invoices/{id}',
      kind: 1,
      parentSpanContext: { spanId: 'b7ad6b7169203331' },
    });
    expect(client).toMatchObject({ name: 'GET', kind: 2, parentSpanContext: { spanId: server!.spanContext().spanId } });
    expect(server!.spanContext().traceId).toBe(CALLER_TRACE);
    expect(server!.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/v1/invoices/{id}',
      'http.response.status_code': 200,
      'url.path': '/v1/invoices/42',
      'url.scheme': 'http',
      'caracal.resource': 'resource://billing-api',
      'caracal.outcome': 'executed',
      'caracal.provider.kind': 'api_key',
    });
    const { headers } = world.transport.plans[0]!;
    expect(headers[headers.indexOf('traceparent') + 1]).toBe(`00-${CALLER_TRACE}-${client!.spanContext().spanId}-01`);
    const told = JSON.stringify(
      spans.getFinishedSpans().map(({ name, attributes, events }) => ({ name, attributes, events })),
    );
    for (const secret of [mandate, UPSTREAM_KEY, 'query-canary']) expect(told).not.toContain(secret);
    expect(world.audit.records().at(-2)).toMatchObject({ traceId: CALLER_TRACE });
  });

  it('names a refusal by its code, and no upstream', async () => {
    const { world, spans, metrics } = await measuredWorld();
    await world.send(world.head(undefined, { method: 'HAXX' }));
    await world.send(world.head(undefined));
    const finished = spans.getFinishedSpans();
    expect(finished.map(({ name, kind }) => [name, kind])).toEqual([
      ['_OTHER', 1],
      ['GET', 1],
    ]);
    expect(finished[1]!.attributes).toMatchObject({ 'error.type': 'missing_token', 'http.response.status_code': 401 });
    expect(finished[1]!.status.code).toBe(0); // a caller's mistake is no error of the server
    expect(JSON.stringify((await metrics())['http.server.request.duration'])).not.toContain('HAXX');
  });

  it('ends the span of each sending of a request that was sent again with another credential', async () => {
    const credential = (value: string): Credential => ({
      headers: ['X-Api-Key', value],
      query: undefined,
      secrets: [value],
      connection: undefined,
    });
    const { world, spans } = await measuredWorld({
      provider: {
        id: 'provider://renewable',
        kind: 'api_key',
        origins: ['https://billing.example'],
        headerNames: ['x-api-key'],
        renewable: true,
        attach: () => credential('old'),
        renew: async () => credential('new'),
      },
    });
    const answers = world.transport.upstream;
    world.transport.upstream = (handler) => {
      world.transport.upstream = answers;
      handler.onStart(false);
      handler.onHead(401, []);
    };
    expect((await world.send(world.head(await world.mint()))).status).toBe(200);
    expect(spans.getFinishedSpans().map(({ kind }) => kind)).toEqual([2, 2, 1]);
  });

  it('takes an explanation for no request: it never ends', async () => {
    const { world, metrics } = await measuredWorld();
    await world.gateway.explain(world.head(await world.mint()));
    await world.send(world.head(undefined));
    expect((await metrics())['http.server.active_requests']!.dataPoints).toMatchObject([{ value: 0 }]);
  });

  it('counts the requests under way of all gateways that tell one meter provider', async () => {
    const { world, metrics, meterProvider } = await measuredWorld();
    const other = await fakeWorld({}, { telemetry: openTelemetry({ meterProvider }) });
    let passed = () => {};
    const all = [world, other].map(async (each) => {
      each.transport.upstream = (handler) => {
        const answer = passed;
        passed = () => {
          answer();
          handler.onStart(false);
          handler.onHead(200, []);
          handler.onEnd();
        };
      };
      return each.send(each.head(await each.mint()));
    });
    await vi.waitFor(async () => {
      expect((await metrics())['http.server.active_requests']!.dataPoints).toMatchObject([
        { value: 2, attributes: { 'http.request.method': 'GET', 'url.scheme': 'http' } },
      ]);
    });
    passed();
    await Promise.all(all);
    expect((await metrics())['http.server.active_requests']!.dataPoints).toMatchObject([{ value: 0 }]);
  });

  it('counts durations by resource, template, outcome and provider kind, and what is active', async () => {
    const { world, metrics } = await measuredWorld();
    const mandate = await world.mint();
    for (let index = 0; index < 3; index++) await world.send(world.head(mandate));
    const all = await metrics();
    expect(all['http.server.request.duration']!.dataPoints).toMatchObject([
      {
        attributes: {
          'caracal.outcome': 'executed',
          'http.route': '/v1/invoices/{id}',
          'http.response.status_code': 200,
        },
        value: { count: 3, buckets: { boundaries: expect.arrayContaining([0.005, 10]) } },
      },
    ]);
    expect(all['http.client.request.duration']!.dataPoints).toMatchObject([
      { attributes: { 'server.address': 'billing.example', 'server.port': 443 }, value: { count: 3 } },
    ]);
    expect(all['http.server.active_requests']!.dataPoints).toMatchObject([{ value: 0 }]);
  });
});

describe('without telemetry', () => {
  it('passes a valid trace on as it came, and starts one where there is none', async () => {
    const world = await fakeWorld();
    const mandate = await world.mint();
    await world.send(world.head(mandate, { extra: ['traceparent', TRACEPARENT, 'tracestate', 'a=1'] }));
    await world.send(world.head(mandate));
    const [first, second] = world.transport.plans.map(({ headers }) => headers[headers.indexOf('traceparent') + 1]);
    expect(first).toBe(TRACEPARENT);
    expect(second).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
});
