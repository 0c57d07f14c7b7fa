// A governed gateway in a process of its own, so that its memory is measured and nothing else's.
import { bearerToken, createGateway, memoryAuditSink, memoryRevocationStore, Secret } from '@caracal/core';
import { createServer } from '@caracal/node';

const revocations = memoryRevocationStore();

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
        websocket: true,
        provider: bearerToken({ id: 'provider://soak', secret: new Secret('soak-key'), origins: [upstreamUrl] }),
      },
    ],
    revocations,
    audit: { sink: memoryAuditSink({ maxRecords: 1000 }) },
  });
  const server = createServer(gateway);
  // Thousands of callers may come at once.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => process.send({ port: server.address().port }));
});

process.on('message', (message) => {
  if (message !== 'rss') return;
  global.gc?.();
  process.send({ rss: process.memoryUsage().rss });
});

process.on('message', async ({ revoke }) => {
  if (revoke === undefined) return;
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  await revocations.revoke(revoke);
  const { user, system } = process.cpuUsage(cpuBefore);
  process.send({ revokedMs: performance.now() - startedAt, revokedCpuMs: (user + system) / 1_000 });
});
