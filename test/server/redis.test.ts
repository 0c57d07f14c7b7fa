import type { ConfigurationFile } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { type ServerWorld, serverWorld } from './server.js';

let redis: RedisServer;
let one: ServerWorld;
let two: ServerWorld;

beforeAll(async () => {
  redis = await startRedis();
  const environment = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
  const shared = (usual: ConfigurationFile): ConfigurationFile => ({
    ...usual,
    stores: { redis: { url: { env: 'REDIS_URL' } } },
  });
  one = await serverWorld(shared, {}, environment);
  // The second trusts the token service of the first, as a process beside it does.
  two = await serverWorld(
    (usual) => ({
      ...shared(usual),
      tokenService: undefined,
      issuers: [{ issuer: one.url.tokenService, jwksUri: `${one.url.tokenService}/.well-known/jwks.json` }],
    }),
    {},
    environment,
  );
});
afterAll(async () => {
  await two?.close();
  await one?.close();
  await redis?.close();
});

const ready = (world: ServerWorld) =>
  expect.poll(async () => (await world.admin('/readyz')).status, { timeout: 60_000 });

describe('two servers with one Redis', () => {
  it('are ready once its state is known to be complete', async () => {
    await ready(one).toBe(200);
    await ready(two).toBe(200);
  }, 120_000);

  it('refuse what was revoked at the other', async () => {
    const mandate = await one.mandate();
    expect((await two.call(mandate)).status).toBe(200);
    const anchors = [{ kind: 'client_id', id: 'billing-agent' }];
    const issuer = one.url.tokenService;
    const answer = await two.admin('/v1/revocations', { method: 'POST', body: JSON.stringify({ anchors }) });
    expect(await answer.json()).toEqual({ revoked: [{ zone: 'default', issuer, ...anchors[0] }] });
    for (const world of [one, two]) {
      const refused = () => world.call(mandate).then(({ headers }) => headers.get('x-caracal-error'));
      await expect.poll(refused, { timeout: 30_000 }).toBe('session_revoked');
    }
    await one.admin('/v1/revocations/lift', { method: 'POST', body: JSON.stringify({ anchors }) });
    await expect.poll(async () => (await two.call(mandate)).status, { timeout: 30_000 }).toBe(200);
  }, 120_000);

  it('refuse, and say why, while it is away', async () => {
    const mandate = await one.mandate();
    const before = one.seen.length + two.seen.length;
    await redis.kill();
    for (const world of [one, two]) {
      await ready(world).toBe(503);
      expect(await (await world.admin('/readyz')).json()).toMatchObject({ reasons: ['revocation_unavailable'] });
      expect((await world.call(mandate)).headers.get('x-caracal-error')).toBe('revocation_unavailable');
    }
    expect(one.seen.length + two.seen.length).toBe(before);
    expect(JSON.stringify(one.logged)).toContain('ECONNREFUSED');
  }, 120_000);
});
