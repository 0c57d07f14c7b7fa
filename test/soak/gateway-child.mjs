// A governed gateway in a process of its own, so that its memory is measured and nothing else's.
import { bearerToken, createGateway, memoryAuditSink, Secret } from '@caracal/core';
import { createServer } from '@caracal/node';

process.on('message', ({ issuer, keys, upstreamUrl }) => {
  if (upstreamUrl === undefined) return;
  const gateway = createGateway({
    issuers: [{ issuer, keys }],
    resources: [
      {
        identifier: 'resource://soak',
        upstreamUrl,
        allowPrivateNetwork: true,
        maxBodyBytes: 'unlimited',
        provider: bearerToken({ id: 'provider://soak', secret: new Secret('soak-key'), origins: [upstreamUrl] }),
      },
    ],
    audit: { sink: memoryAuditSink({ maxRecords: 1000 }) },
  });
  const server = createServer(gateway);
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
});

process.on('message', (message) => {
  if (message !== 'rss') return;
  global.gc?.();
  process.send({ rss: process.memoryUsage().rss });
});
