// The governed gateway as a user would write it: one issuer, one operation, one key to attach. The configuration says where
// evidence goes, how durable it is, how many resources there are, and whether spans and metrics are made.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiKey, createGateway, memoryAuditSink, openTelemetry, Secret } from '@caracal/core';
import { openJournal } from '@caracal/file';
import { createServer } from '@caracal/node';
import { gatewayOptions } from '../input.mjs';
import { serve } from '../serve.mjs';

await serve(async (config) =>
  createServer(
    createGateway({
      ...gatewayOptions({ apiKey, Secret }, config),
      audit: { sink: await auditSink(config), durability: config.durability },
      ...(config.telemetry === true && { telemetry: openTelemetry(await sdk()) }),
    }),
  ),
);

async function auditSink({ sink }) {
  if (sink === 'memory') return memoryAuditSink({ maxRecords: 1000 });
  const directory = mkdtempSync(join(tmpdir(), 'caracal-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return openJournal({ directory, onWarning: () => {} });
}

// Every span is made, batched and dropped by an exporter that sends nothing: what an exporter costs is not ours to measure.
async function sdk() {
  const { AggregationTemporality, MeterProvider, PeriodicExportingMetricReader } = await import(
    '@opentelemetry/sdk-metrics'
  );
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
  const done = { code: 0 };
  const exporter = {
    export: (_batch, answer) => answer(done),
    shutdown: async () => {},
    forceFlush: async () => {},
    selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
  };
  return {
    tracerProvider: new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }),
    meterProvider: new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] }),
  };
}
