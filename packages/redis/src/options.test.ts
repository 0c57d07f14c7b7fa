import { describe, expect, it } from 'vitest';
import type { RedisClient } from './commands/client.js';
import { redisRateLimiter } from './rate-limiter.js';
import { redisStores } from './redis-stores.js';
import { redisReplayStore } from './replay-store.js';
import { redisRevocationStore } from './revocation-store.js';
import { redisTokenCache } from './token-cache.js';

/** Never connected: what is tried here ends before anything is sent. */
const client: RedisClient = {
  status: 'end',
  call: () => Promise.reject(new Error('not to be called')),
  duplicate: () => client,
  disconnect: () => undefined,
  on: () => undefined,
};

describe('options that are not in order', () => {
  const factories = { redisRevocationStore, redisReplayStore, redisTokenCache, redisRateLimiter, redisStores };

  it.each(Object.entries(factories))('are refused by %s at creation, by name', (name, factory) => {
    const make = factory as (options: object) => unknown;
    expect(() => make({ client, unknown: 1 })).toThrow(`${name}: unknown option unknown`);
    expect(() => make({ client: {} })).toThrow('client');
    expect(() => make({ client, prefix: '{x}' })).toThrow('prefix');
    expect(() => make({ client, timeoutMs: 0 })).toThrow('timeoutMs');
  });

  it('are refused where a key is too short, or none', () => {
    for (const signingKey of [new Uint8Array(31), 'x'.repeat(64), new Uint8Array()]) {
      const options = { client, signingKey: signingKey as Uint8Array };
      expect(() => redisRevocationStore(options)).toThrow('signingKey');
    }
    expect(() => redisReplayStore({ client, clockSkewSeconds: -1 })).toThrow('clockSkewSeconds');
  });
});

describe('a store without a connection', () => {
  it('refuses at once and leaves nothing in the driver', async () => {
    const revocations = redisRevocationStore({ client, onWarning: () => undefined });
    const anchor = { zoneId: 'z', issuer: 'i', kind: 'sid', id: 's' } as const;
    await expect(revocations.revoke(anchor)).rejects.toMatchObject({ reason: 'not_durable' });
    expect(revocations.isRevoked([anchor])).toBe(true);
    await expect(revocations.lift(anchor)).rejects.toMatchObject({ reason: 'not_durable' });
    expect(revocations.isRevoked([anchor])).toBe(true);
    expect(revocations.freshAsOf()).toBe(Number.NEGATIVE_INFINITY);
    await revocations.close();
    await expect(revocations.revoke(anchor)).rejects.toMatchObject({ reason: 'closed' });
    const limiter = redisRateLimiter({ client });
    const key = { zoneId: 'z', issuer: 'i', applicationId: 'a', resource: 'r' };
    const consume = async () => limiter.consume(key, { requests: 1, windowSeconds: 1 });
    await expect(consume()).rejects.toMatchObject({ code: 'rate_limit_unavailable', reason: 'not_connected' });
  });
});
