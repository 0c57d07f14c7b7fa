// The governed gateway as a user would write it: one issuer, one resource, one operation, one key to attach.
import { apiKey, createGateway, memoryAuditSink, Secret } from '@caracal/core';
import { createServer } from '@caracal/node';
import { gatewayOptions } from '../input.mjs';
import { serve } from '../serve.mjs';

await serve((config) =>
  createServer(
    createGateway({
      ...gatewayOptions({ apiKey, Secret }, config),
      audit: { sink: memoryAuditSink({ maxRecords: 1000 }), durability: 'written' },
    }),
  ),
);
