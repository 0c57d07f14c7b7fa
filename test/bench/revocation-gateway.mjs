// A gateway over Redis in a process of its own.
import { createGateway, memoryAuditSink, noCredential } from '@caracal/core';
import { createServer } from '@caracal/node';
import { RECOMMENDED_REDIS_OPTIONS, redisStores } from '@caracal/redis';
import { Redis } from 'ioredis';
import { serve } from './serve.mjs';

await serve(async ({ issuer, keys, upstreamUrl, redisUrl, signingKey, prefix }) => {
  const client = new Redis(redisUrl, RECOMMENDED_REDIS_OPTIONS);
  const stores = redisStores({ client, prefix, signingKey: Buffer.from(signingKey, 'base64'), onWarning: () => {} });
  const gateway = createGateway({
    issuers: [{ issuer, keys }],
    resources: [{ identifier: 'resource://bench', upstreamUrl, allowPrivateNetwork: true, provider: noCredential() }],
    revocations: stores.revocations,
    audit: { sink: memoryAuditSink({ maxRecords: 1000 }) },
  });
  await stores.ready(30_000);
  return createServer(gateway);
});
