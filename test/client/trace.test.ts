import { type ClientOptions, createClient } from '@caracal/client';
import { openTelemetry } from '@caracal/core/opentelemetry';
import { startTestGateway } from '@caracal/testkit/gateway';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeAll(() => {
  trace.setGlobalTracerProvider(tracerProvider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});
beforeEach(() => exporter.reset());
afterAll(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

/** One call of an agent within a span of its own; gateway and token service have spans too, the upstream tells what it got. */
async function tracedCall(options: ClientOptions = {}) {
  const gateway = await startTestGateway({ gateway: { telemetry: openTelemetry() } });
  const agent = createClient({ ...gateway.profile, ...options }).transport();
  const [traceId, answer] = await trace.getTracer('agent').startActiveSpan('task', async (span) => {
    const answered = await agent('/v1/x');
    span.end();
    return [span.spanContext().traceId, answered] as const;
  });
  const records = await gateway.records(answer);
  const mints = (await gateway.records()).filter(({ type }) => type === 'mandate.issued');
  await gateway.close();
  const spans = exporter.getFinishedSpans();
  const parentOf = (name: string) => {
    const parent = spans.find((span) => span.name === name)?.parentSpanContext?.spanId;
    return spans.find((span) => span.spanContext().spanId === parent)?.name;
  };
  return { gateway, traceId, records, mints, spans, parentOf };
}

describe('one trace', () => {
  it('holds mint, gateway and upstream where the agent hands its context on', async () => {
    const propagate = (headers: object) => propagation.inject(context.active(), headers);
    const { traceId, spans, gateway, parentOf } = await tracedCall({ propagate });
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([traceId]));
    expect(spans.map(({ name }) => name)).toEqual(['POST /oauth/2/token', 'GET', 'GET /**', 'task']);
    expect([parentOf('POST /oauth/2/token'), parentOf('GET /**'), parentOf('GET')]).toEqual([
      'task',
      'task',
      'GET /**',
    ]);
    const toUpstream = spans.find(({ name }) => name === 'GET')!.spanContext();
    expect(gateway.calls[0]?.headers.traceparent).toBe(`00-${traceId}-${toUpstream.spanId}-01`);
  });

  it('holds them with the usual instrumentation of fetch, and nothing to configure', async () => {
    const upstreamPorts = new Set<string>();
    const instrumentation = new UndiciInstrumentation({
      // The gateway runs in this process here, and traces its own call of the upstream.
      ignoreRequestHook: ({ origin, path }) =>
        path === '/v1/x' && upstreamPorts.size > 0 && !upstreamPorts.has(String(origin)),
    });
    instrumentation.setTracerProvider(tracerProvider);
    try {
      const fetchOfAgent = (input: string | URL | Request, init?: RequestInit) => {
        upstreamPorts.add(new URL(String(input)).origin);
        return fetch(input, init);
      };
      const { traceId, spans, mints, records } = await tracedCall({ fetch: fetchOfAgent });
      expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([traceId]));
      expect(spans.map(({ name }) => name).toSorted()).toEqual([
        'GET',
        'GET',
        'GET /**',
        'POST',
        'POST /oauth/2/token',
        'task',
      ]);
      expect(mints[0]?.traceId).toBe(traceId);
      expect(records[0]?.traceId).toBe(traceId);
    } finally {
      instrumentation.disable();
    }
  });

  it('is found in the evidence: by the id of the request, with the issue of its mandate', async () => {
    const { traceId, records, mints } = await tracedCall({
      propagate: (headers) => {
        propagation.inject(context.active(), headers);
        headers['x-request-id'] = 'task-7';
      },
    });
    const joined = { traceId, clientRequestId: 'task-7' };
    expect(records).toMatchObject([{ type: 'request.authorized', ...joined }, { type: 'request.completed' }]);
    expect(mints).toMatchObject([{ jti: records[0]?.jti, ...joined }]);
    expect(records[0]?.jti).toBeDefined();
  });
});
