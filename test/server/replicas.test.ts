import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigurationFile } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { caracal } from '../cli/caracal.js';
import { freePort, type RedisServer, startRedis } from '../servers/redis.js';
import { AGENT_SECRET, type ServerWorld, serverWorld } from './server.js';

const PATIENCE = { timeout: 60_000 };
const NOT_CONFIRMED = 'in effect and written, but not confirmed by as many replicas as stores.redis.waitReplicas says';

let primary: RedisServer;
let replica: RedisServer;
/** Revokes, and asks for a replica's word. */
let one: ServerWorld;
let two: ServerWorld;

beforeAll(async () => {
  const diskless = ['--repl-diskless-sync-delay', '0'];
  primary = await startRedis({ arguments: diskless });
  replica = await startRedis({ arguments: ['--replicaof', `127.0.0.1 ${primary.port}`, ...diskless] });
  const environment = { REDIS_URL: `redis://127.0.0.1:${primary.port}` };
  const shared = (usual: ConfigurationFile): ConfigurationFile => ({
    ...usual,
    stores: { redis: { url: { env: 'REDIS_URL' }, waitReplicas: 1 } },
  });
  one = await serverWorld(shared, {}, environment);
  two = await serverWorld(
    (usual) => ({
      ...shared(usual),
      tokenService: undefined,
      issuers: [{ issuer: one.url.tokenService, jwksUri: `${one.url.tokenService}/.well-known/jwks.json` }],
    }),
    {},
    environment,
  );
  for (const world of [one, two]) {
    await vi.waitFor(async () => expect((await world.admin('/readyz')).status).toBe(200), PATIENCE);
  }
  await replicated();
}, 120_000);
afterAll(async () => {
  replica?.signal('SIGCONT');
  await two?.close();
  await one?.close();
  await replica?.close();
  await primary?.close();
});

async function replicated(): Promise<void> {
  const client = await primary.connect();
  await vi.waitFor(async () => expect(await client.info('replication')).toContain('state=online'), PATIENCE);
  client.disconnect();
}

const sidOf = (mandate: string): string => JSON.parse(Buffer.from(mandate.split('.')[1]!, 'base64url').toString()).sid;
const change = (path: string, ...mandates: readonly string[]) =>
  one.admin(path, {
    method: 'POST',
    body: JSON.stringify({ anchors: mandates.map((each) => ({ kind: 'sid', id: sidOf(each) })) }),
  });
const revoke = (...mandates: readonly string[]) => change('/v1/revocations', ...mandates);

async function refusedEverywhere(mandate: string): Promise<void> {
  const before = one.seen.length + two.seen.length;
  const errorOf = async (world: ServerWorld) => (await world.call(mandate)).headers.get('x-caracal-error');
  // Where it was revoked it is in effect at once.
  expect(await errorOf(one)).toBe('session_revoked');
  expect(one.seen.length + two.seen.length).toBe(before);
  await expect.poll(() => errorOf(two), PATIENCE).toBe('session_revoked');
}

/** Revokes as an application does its own mandate. */
const revokeByToken = (token: string) =>
  fetch(`${one.url.tokenService}/oauth/2/revoke`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`billing-agent:${AGENT_SECRET}`).toString('base64')}` },
    body: new URLSearchParams({ token }),
  });

/** Through the admin endpoint, or, where none is named that answers, straight into Redis. */
async function command(mandate: string, { directly }: { readonly directly: boolean }) {
  const configuration = JSON.parse(await readFile(one.file, 'utf8')) as ConfigurationFile;
  const file = join(one.directory, directly ? 'directly.config.json' : 'admin.config.json');
  const listen = directly ? await freePort() : Number(new URL(one.url.admin).port);
  await writeFile(file, JSON.stringify({ ...configuration, admin: { ...configuration.admin!, listen } }));
  const args = ['revoke', '--session', sidOf(mandate), '--issuer', one.url.tokenService, '--config', file];
  return await caracal(args, { cwd: one.directory, env: { ...one.environment } });
}

describe('a server whose Redis has a replica, and which waits for it', () => {
  it('answers a revocation once the replica has it', async () => {
    const mandates = [await one.mandate(), await one.mandate(), await one.mandate()] as const;
    expect((await revoke(mandates[0])).status).toBe(200);
    for (const [index, directly] of [false, true].entries()) {
      const ran = await command(mandates[index + 1]!, { directly });
      expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
    }
    for (const mandate of mandates) await refusedEverywhere(mandate);
    expect((await revokeByToken(await one.mandate())).status).toBe(200);
  }, 120_000);

  const waysToGo = {
    'stands still': { leave: async () => replica.signal('SIGSTOP'), come: async () => replica.signal('SIGCONT') },
    'is killed': { leave: () => replica.kill(), come: () => replica.restart() },
  };

  it.each(Object.keys(waysToGo) as (keyof typeof waysToGo)[])(
    'says, when the replica %s, that it is in effect and not confirmed, and confirms it when it is back',
    async (way) => {
      const { leave, come } = waysToGo[way];
      const [revoked, untouched] = [await one.mandate(), await one.mandate()] as const;
      await leave();
      try {
        const answer = await revoke(revoked);
        expect([answer.status, await answer.json()]).toMatchObject([
          503,
          {
            error: 'not_replicated',
            error_description: expect.stringMatching(/^In effect and written, but not confirmed/),
          },
        ]);
        await refusedEverywhere(revoked);
        expect(one.logged.filter(({ event }) => event === 'revocation_failed').length).toBeGreaterThan(0);
        // Nothing else waits for it, or fails.
        for (const world of [one, two]) {
          expect((await world.call(untouched)).status).toBe(200);
          expect((await world.admin('/readyz')).status).toBe(200);
        }
        const byToken = await one.mandate();
        expect(await (await revokeByToken(byToken)).json()).toMatchObject({ error: 'temporarily_unavailable' });
        await refusedEverywhere(byToken);
        for (const directly of [false, true]) {
          const mandate = await one.mandate();
          const ran = await command(mandate, { directly });
          expect({ code: ran.code, out: ran.out }).toEqual({ code: 1, out: '' });
          expect(ran.err).toContain(NOT_CONFIRMED);
          await expect
            .poll(async () => (await two.call(mandate)).headers.get('x-caracal-error'), PATIENCE)
            .toBe('session_revoked');
        }
        // A lift does not wait: if one is lost, its mandates stay refused.
        expect((await change('/v1/revocations/lift', revoked)).status).toBe(200);
        expect((await revoke(revoked)).status).toBe(503);
      } finally {
        await come();
      }
      await replicated();
      await expect.poll(async () => (await revoke(revoked)).status, PATIENCE).toBe(200);
      await refusedEverywhere(revoked);
    },
    180_000,
  );
});
