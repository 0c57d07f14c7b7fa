// A governed gateway over Redis: redis-gateway-child.ts CONFIG, where CONFIG is JSON.
import type { AddressInfo } from 'node:net';
import { createGateway, type IssuerOptions, memoryAuditSink, noCredential } from '@caracal/core';
import { createServer } from '@caracal/node';
import { RECOMMENDED_REDIS_OPTIONS, redisReplayStore, redisRevocationStore } from '@caracal/redis';
import { Redis } from 'ioredis';

const { issuer, upstreamUrl, redisPort, timeoutMs, heartbeatMs, settleMs, maxStalenessMs, signingKey } = JSON.parse(
  process.argv[3]!,
) as {
  issuer: IssuerOptions;
  upstreamUrl: string;
  signingKey: string;
} & Record<'redisPort' | 'timeoutMs' | 'heartbeatMs' | 'settleMs' | 'maxStalenessMs', number>;

const client = new Redis({ ...RECOMMENDED_REDIS_OPTIONS, port: redisPort, host: '127.0.0.1' });
client.on('error', () => {});
const onWarning = (): void => {};
const shared = { client, timeoutMs };
const revocations = redisRevocationStore({
  ...shared,
  signingKey: Buffer.from(signingKey, 'base64'),
  heartbeatMs,
  settleMs,
  onWarning,
});
const upstream = { upstreamUrl, allowPrivateNetwork: true, provider: noCredential() };
const gateway = createGateway({
  issuers: [issuer],
  resources: [
    { identifier: 'resource://chaos', ...upstream },
    { identifier: 'resource://once', mandateReuse: 'single_use', ...upstream },
  ],
  revocations,
  replays: redisReplayStore({ ...shared, clockSkewSeconds: 0 }),
  audit: { sink: memoryAuditSink({ maxRecords: 100 }) },
  onFault: () => {},
  maxStalenessMs,
});
const server = createServer(gateway);
await revocations.ready(60_000);
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
