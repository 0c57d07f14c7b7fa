import { inspect } from 'node:util';
import { RECOMMENDED_REDIS_OPTIONS, redisStores } from '@caracal/redis';
import { eventually, settledInTime } from '@caracal/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis.js';

const ISSUER = 'https://issuer.example';
const LIMIT = { requests: 1, windowSeconds: 3_600 };
const silent = { onWarning: () => undefined };

function useOf(jti: string) {
  const now = Math.floor(Date.now() / 1000);
  return { zoneId: 'default', issuer: ISSUER, jti, issuedAt: now + 60, expiresAt: now + 900 };
}

function keyOf(applicationId: string) {
  return { zoneId: 'default', issuer: ISSUER, applicationId, resource: 'resource://api' };
}

describe('the memory of single use', () => {
  it('begins with the first connection, and anew where everything was lost, not with the first use', async () => {
    const server = await startRedis();
    try {
      const client = new Redis({ ...RECOMMENDED_REDIS_OPTIONS, port: server.port, host: '127.0.0.1' });
      client.on('error', () => undefined); // the server is restarted
      const stores = redisStores({ client, ...silent }); // the driver is not connected yet
      const other = await server.connect();
      await eventually('it has begun', async () => (await other.keys('*replay*begins')).length === 16);
      await server.restart(); // empty
      const another = await server.connect();
      await eventually('it has begun anew', async () => (await another.keys('*replay*begins')).length === 16);
      await stores.close();
      client.disconnect();
    } finally {
      await server.close();
    }
  });
});

describe('a server that is full', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ arguments: ['--maxmemory-policy', 'noeviction'] });
  });
  afterAll(() => server.close());

  it('makes every store refuse what is new, and forgets nothing', async () => {
    const client = await server.connect(RECOMMENDED_REDIS_OPTIONS);
    const stores = redisStores({ client, ...silent });
    const session = { zoneId: 'default', issuer: ISSUER, kind: 'sid', id: 's' } as const;
    await stores.ready(20_000);
    await stores.revocations.revoke(session);
    expect(await stores.replays.use(useOf('before'))).toBe('first');
    expect(await stores.rateLimiter.consume(keyOf('before'), LIMIT)).toEqual({ allowed: true });
    const tokenKey = { zoneId: 'default', providerId: 'p', qualifiers: [] };
    expect(await stores.tokens.claimRefresh(tokenKey, 'a', 60_000)).toBe(true);

    await client.config('SET', 'maxmemory', '1');
    const refused = await Promise.allSettled([
      stores.replays.use(useOf('new')),
      stores.rateLimiter.consume(keyOf('new'), LIMIT),
      stores.tokens.claimRefresh({ ...tokenKey, providerId: 'q' }, 'a', 60_000),
      stores.revocations.revoke({ ...session, id: 'new' }),
    ]);
    const reasons = refused.map((result) => (result.status === 'rejected' ? result.reason.code : 'no refusal'));
    expect(reasons).toEqual([
      'replay_unavailable',
      'rate_limit_unavailable',
      'credential_unavailable',
      'revocation_unavailable',
    ]);
    expect(stores.revocations.isRevoked([{ ...session, id: 'new' }]), 'in effect here').toBe(true);

    await client.config('SET', 'maxmemory', '0');
    expect(await stores.replays.use(useOf('before'))).toBe('replayed');
    expect((await stores.rateLimiter.consume(keyOf('before'), LIMIT)).allowed).toBe(false);
    expect(await stores.tokens.claimRefresh(tokenKey, 'b', 60_000)).toBe(false);
    expect(stores.revocations.isRevoked([session])).toBe(true);
    await stores.close();
  });

  it('is told of where it makes room by forgetting', async () => {
    const client = await server.connect(RECOMMENDED_REDIS_OPTIONS);
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const warnings: string[] = [];
    const stores = redisStores({ client, prefix: 'evicting', onWarning: (message) => void warnings.push(message) });
    await stores.ready(20_000);
    await eventually('it is told', () => warnings.join().includes('noeviction'));
    await stores.close();
  });
});

describe('a server that stops answering', () => {
  it('holds no call longer than its deadline, and no more calls than fit', async () => {
    const server = await startRedis();
    try {
      // As somebody would who has not read which options suit: the driver's own queue and no timeout.
      const client = await server.connect();
      const stores = redisStores({ client, timeoutMs: 200, ...silent });
      server.signal('SIGSTOP');
      const calls = Array.from({ length: 12_000 }, (_, index) =>
        settledInTime(200, () => stores.replays.use(useOf(`${index}`))),
      );
      const reasons = new Map<string, number>();
      for (const result of await Promise.all(calls)) {
        const { reason } = (result as PromiseRejectedResult).reason as { reason: string };
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
      expect([...reasons.keys()].sort()).toEqual(['timeout', 'too_many_pending']);
      expect(reasons.get('timeout')).toBeLessThanOrEqual(10_000);
      await stores.close();
    } finally {
      server.signal('SIGCONT');
      await server.close();
    }
  });

  it('shows no token and no identifier in what goes wrong', async () => {
    const server = await startRedis();
    try {
      const client = await server.connect();
      const stores = redisStores({ client, ...silent });
      const key = { zoneId: 'default', providerId: 'p', qualifiers: [] };
      await stores.tokens.claimRefresh(key, 'owner', 60_000);
      const [claim] = await client.keys('*:claim');
      await client.del(claim!);
      await client.hset(claim!, 'not', 'a claim');
      const now = Date.now();
      const token = { value: 'canary-token', obtainedAtMs: now, expiresAtMs: now + 60_000, afterRefusal: false };
      const failure = await Promise.resolve(stores.tokens.finishRefresh(key, 'owner', token)).catch(
        (cause: unknown) => cause,
      );
      expect(failure).toBeInstanceOf(Error);
      expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain('canary-token');
      await stores.close();
    } finally {
      await server.close();
    }
  });
});
