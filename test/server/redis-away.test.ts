import type { ConfigurationFile } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { type CuttingProxy, cuttingProxy } from '../servers/cutting-proxy.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { AGENT_SECRET, BILLING, mandateFrom, type ServerWorld, serverWorld, UPSTREAM_KEY } from './server.js';

const ONCE = 'resource://once-api';
const LIMITED = 'resource://limited-api';
/** The same with a token that is obtained for it: one that is held when Redis goes, and one for each time that is not. */
const HELD = 'resource://held-api';
const COLD = ['resource://cold-0', 'resource://cold-1', 'resource://cold-2', 'resource://cold-3'];
const WITH_TOKEN = [HELD, ...COLD];
const PATIENCE = { timeout: 60_000 };

let redis: RedisServer;
let proxy: CuttingProxy;
let upstreamTokens: AuthorizationServer;
let world: ServerWorld;

beforeAll(async () => {
  // What was acknowledged is on the disk: a restart forgets nothing.
  redis = await startRedis({ arguments: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  proxy = await cuttingProxy(redis.port);
  const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
  upstreamTokens = await startAuthorizationServer({
    clients: () => [{ ...machine, client_id: 'machine', client_secret: CLIENT_SECRET }],
  });
  const shared = (usual: ConfigurationFile): ConfigurationFile => {
    const [billing] = usual.resources!;
    const [application] = usual.tokenService!.applications!;
    const grants = [BILLING, ONCE, LIMITED, ...WITH_TOKEN].map((resource) => ({ resource, scopes: ['billing:read'] }));
    return {
      ...usual,
      // How long the answer on revocations may be old is another row of the table, and has tests of its own.
      gateway: { ...usual.gateway, maxStalenessMs: 600_000 },
      tokenService: { ...usual.tokenService!, applications: [{ ...application!, grants }] },
      providers: [
        ...usual.providers!,
        ...WITH_TOKEN.map((resource) => ({
          id: resource.replace('resource', 'provider'),
          kind: 'oauth2_client_credentials' as const,
          issuer: upstreamTokens.issuer,
          clientId: 'machine',
          clientSecret: { env: 'CLIENT_SECRET' },
          allowPrivateNetwork: true,
        })),
      ],
      resources: [
        billing!,
        ...WITH_TOKEN.map((identifier) => ({
          ...billing!,
          identifier,
          provider: identifier.replace('resource', 'provider'),
        })),
        { ...billing!, identifier: ONCE, mandateReuse: 'single_use' },
        { ...billing!, identifier: LIMITED, rateLimit: { requests: 10_000, windowSeconds: 60 } },
      ],
      stores: { redis: { url: { env: 'REDIS_URL' } } },
    };
  };
  world = await serverWorld(shared, {}, { REDIS_URL: `redis://127.0.0.1:${proxy.port}`, CLIENT_SECRET });
  await vi.waitFor(async () => expect((await world.admin('/readyz')).status).toBe(200), PATIENCE);
  // As if the memory of used mandates had begun long ago: a new one takes none of its first minute.
  const client = await redis.connect();
  const begins = await client.keys('*replay*begins');
  expect(begins.length).toBeGreaterThan(0);
  for (const key of begins) await client.set(key, 0);
}, 120_000);
afterAll(async () => {
  redis?.signal('SIGCONT');
  proxy?.restore();
  await world?.close();
  await upstreamTokens?.close();
  await proxy?.close();
  await redis?.close();
});

const mandate = (resource: string) => mandateFrom(world.url.tokenService, 'billing:read', resource);

async function answerOf(resource: string, token: string): Promise<string> {
  const before = world.seen.length;
  const answer = await world.call(token, undefined, { 'X-Caracal-Resource': resource });
  const body = await answer.text();
  for (const secret of [token, UPSTREAM_KEY, AGENT_SECRET]) expect(body).not.toContain(secret);
  const error = answer.headers.get('x-caracal-error');
  expect(world.seen.length > before, `${resource} ${error}`).toBe(error === null);
  return error ?? String(answer.status);
}

const outages = {
  'is killed and started again': { begin: () => redis.kill(), end: () => redis.restart() },
  'stands still': { begin: async () => redis.signal('SIGSTOP'), end: async () => redis.signal('SIGCONT') },
  'cannot be reached': { begin: async () => proxy.cut(), end: async () => proxy.restore() },
  'is behind connections that were cut without a word': {
    begin: async () => proxy.forget(),
    end: async () => {}, // they are opened anew by themselves
  },
};

describe('a server whose Redis', () => {
  it.each(Object.keys(outages) as (keyof typeof outages)[])(
    '%s answers 503 where a request needs it, nothing else, and works again by itself',
    async (name) => {
      const { begin, end } = outages[name];
      const unknown = COLD[Object.keys(outages).indexOf(name)]!;
      const [plain, limited, used, held, cold] = await Promise.all(
        [BILLING, LIMITED, ONCE, HELD, unknown].map(mandate),
      );
      const fresh = await mandate(ONCE);
      expect(await answerOf(ONCE, used!)).toBe('200');
      expect(await answerOf(LIMITED, limited!)).toBe('200');
      // The upstream of this world takes keys, and answers a token 401.
      expect(await answerOf(HELD, held!)).toBe('401');
      await begin();
      // What comes back by itself may be back already.
      const back = name === 'is behind connections that were cut without a word' ? ['200'] : [];
      expect(['replay_unavailable', ...back]).toContain(await answerOf(ONCE, fresh));
      expect(['rate_limit_unavailable', ...back]).toContain(await answerOf(LIMITED, limited!));
      expect(['credential_unavailable', ...(back.length > 0 ? ['401'] : [])]).toContain(await answerOf(unknown, cold!));
      expect(await answerOf(HELD, held!)).toBe('401');
      expect(await answerOf(BILLING, plain!)).toBe('200');
      await end();
      await expect.poll(async () => answerOf(ONCE, await mandate(ONCE)), PATIENCE).toBe('200');
      await expect.poll(() => answerOf(LIMITED, limited!), PATIENCE).toBe('200');
      expect(await answerOf(BILLING, plain!)).toBe('200');
      await expect.poll(() => answerOf(unknown, cold!), PATIENCE).toBe('401');
      expect(await answerOf(ONCE, used!)).toBe('token_replayed');
      expect(JSON.stringify(world.logged)).not.toContain(fresh);
    },
    120_000,
  );
});
