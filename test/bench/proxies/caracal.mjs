// The governed gateway as a user would write it: one issuer, one operation, one key to attach. The configuration says where
// evidence goes, how durable it is, how many resources there are, and whether spans and metrics are made.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiKey, createGateway, memoryAuditSink, Secret } from '@caracal/core';
import { openTelemetry } from '@caracal/core/opentelemetry';
import { openJournal } from '@caracal/file';
import { createServer } from '@caracal/node';
import { gatewayOptions } from '../input.mjs';
import { droppingSdk } from '../sdk.mjs';
import { serve } from '../serve.mjs';

await serve(async (config) =>
  createServer(
    createGateway({
      ...gatewayOptions({ apiKey, Secret }, config),
      audit: { sink: await auditSink(config), durability: config.durability },
      ...(config.telemetry === true && { telemetry: openTelemetry(await droppingSdk()) }),
    }),
  ),
);

async function auditSink({ sink }) {
  if (sink === 'memory') return memoryAuditSink({ maxRecords: 1000 });
  const directory = mkdtempSync(join(tmpdir(), 'caracal-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return openJournal({ directory, onWarning: () => {} });
}
