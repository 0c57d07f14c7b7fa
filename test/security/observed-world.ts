import { inspect } from 'node:util';
import type { GatewayOptions, ResourceDefinition } from '@caracal/core';
import { openTelemetry } from '@caracal/core/opentelemetry';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { vi } from 'vitest';
import { type FakeWorld, fakeWorld } from '../gateway/fake-world.js';

/** A gateway of which everything is watched that an operator, a log or a telemetry back end could keep. */
export interface ObservedWorld extends FakeWorld {
  /** Everything seen so far, by where it was seen. */
  seen(): Promise<Readonly<Record<string, string>>>;
}

/** Keeps what is written to the console and to standard output and error, in place of writing it. */
export function capturedConsole(): { readonly lines: string[]; restore(): void } {
  const lines: string[] = [];
  const keep = (...told: unknown[]): void =>
    void lines.push(told.map((value) => inspect(value, { depth: 9 })).join(' '));
  const spies = (['debug', 'error', 'info', 'log', 'trace', 'warn'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(keep),
  );
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      lines.push(String(text));
      return true;
    }),
  );
  return {
    lines,
    restore: () => {
      for (const spy of [...spies, ...streams]) spy.mockRestore();
    },
  };
}

/** A fake world with telemetry on and with the gateway's own way of telling of faults. */
export async function observedWorld(
  resource: Partial<ResourceDefinition>,
  options: Partial<GatewayOptions>,
): Promise<ObservedWorld> {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const telemetry = openTelemetry({ tracerProvider, meterProvider: new MeterProvider({ readers: [reader] }) });
  const ownFaults = { onFault: undefined } as unknown as Partial<GatewayOptions>; // what the gateway does where nobody asks for faults
  const world = await fakeWorld(resource, { telemetry, ...ownFaults, ...options });
  const seen = async (): Promise<Readonly<Record<string, string>>> => {
    await reader.forceFlush();
    return {
      records: JSON.stringify(world.audit.records()),
      spans: inspect(
        spans.getFinishedSpans().map(({ name, attributes, events, links, status }) => ({
          ...{ name, attributes, events, links, status },
        })),
        { depth: 9, maxStringLength: null },
      ),
      metrics: inspect(exporter.getMetrics(), { depth: 12, maxArrayLength: null, maxStringLength: null }),
      'the gateway itself': inspect(world.gateway, { depth: 9, showHidden: true, maxStringLength: null }),
    };
  };
  return { ...world, seen };
}
