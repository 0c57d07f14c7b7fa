import { readFileSync } from 'node:fs';
import {
  DEFAULT_PREFIX,
  DEFAULT_TIMEOUT_MS,
  RECOMMENDED_REDIS_OPTIONS,
  REDIS_REPLAY_CLOCK_SKEW_SECONDS,
  REDIS_REVOCATION_DEFAULTS,
  redisStores,
} from '@caracal/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.close());

const document = readFileSync(new URL('../../docs/stores/redis.md', import.meta.url), 'utf8');

it('the document names every default', () => {
  const defaults = {
    prefix: `\`${DEFAULT_PREFIX}\``,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    clockSkewSeconds: REDIS_REPLAY_CLOCK_SKEW_SECONDS,
    ...REDIS_REVOCATION_DEFAULTS,
  };
  for (const [name, value] of Object.entries(defaults)) {
    const row = document.split('\n').find((line) => line.startsWith(`| \`${name}\``));
    expect(row?.split('|')[3]?.trim(), name).toBe(value.toLocaleString('en'));
  }
});

it('the least rights that the document names are enough for every store, and reach no other key', async () => {
  const [, line] = /^ACL (SETUSER .*)$/m.exec(document)!;
  const admin = await server.connect();
  await admin.call('ACL', ...line!.split(' '));
  const client = new Redis({
    ...RECOMMENDED_REDIS_OPTIONS,
    port: server.port,
    host: '127.0.0.1',
    username: 'caracal',
    password: 'PASSWORD',
  });
  const errors: Error[] = [];
  client.on('error', (error) => errors.push(error));
  const warnings: string[] = [];
  const stores = redisStores({ client, onWarning: (message) => void warnings.push(message) });
  await stores.ready(20_000);
  warnings.length = 0; // that it was not connected at first
  const session = { zoneId: 'z', issuer: 'https://issuer.example', kind: 'sid', id: 's' } as const;
  await stores.revocations.revoke(session);
  await stores.revocations.lift(session);
  const now = Math.floor(Date.now() / 1000);
  const use = { zoneId: 'z', issuer: 'i', jti: 'j', issuedAt: now + 60, expiresAt: now + 900 };
  expect(await stores.replays.use(use)).toBe('first');
  expect(await stores.replays.use(use)).toBe('replayed');
  const tokenKey = { zoneId: 'z', providerId: 'p', qualifiers: [] };
  const token = { value: 't', obtainedAtMs: 0, expiresAtMs: Date.now() + 60_000, afterRefusal: false };
  expect(await stores.tokens.claimRefresh(tokenKey, 'a', 1_000)).toBe(true);
  expect(await stores.tokens.finishRefresh(tokenKey, 'a', token)).toBe(true);
  expect((await stores.tokens.get(tokenKey))?.value).toBe('t');
  await stores.tokens.abandonRefresh(tokenKey, 'a');
  await stores.tokens.forget(tokenKey);
  const rateKey = { zoneId: 'z', issuer: 'i', applicationId: 'a', resource: 'r' };
  for (const requests of [300, 300, 1]) await stores.rateLimiter.consume(rateKey, { requests, windowSeconds: 60 });
  const client2 = client.duplicate();
  client2.on('error', () => undefined);
  await expect(
    redisStores({ client: client2, prefix: 'other', onWarning: () => undefined }).ready(1_000),
  ).rejects.toThrow();
  client2.disconnect();
  expect(warnings).toEqual([]);
  expect(errors).toEqual([]);
  await stores.close();
  client.disconnect();
});
