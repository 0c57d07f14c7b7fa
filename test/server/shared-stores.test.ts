import { get } from 'node:http';
import { putResource } from '@caracal/postgres';
import type { ConfigurationFile } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type TestDatabase, testDatabase } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { type Primary, startPrimary } from './primary.js';
import { ADMIN_TOKEN, BILLING, mandateFrom, type ServerWorld, serverWorld } from './server.js';

// One server has two workers and the token service, the other is one process and trusts it; Redis and PostgreSQL are theirs together.
const ONCE = 'resource://once-api';
const ROW = 'resource://row-api';
const PATIENT = { timeout: 60_000 };

let redis: RedisServer;
let database: TestDatabase;
let world: ServerWorld;
let one: Primary;
let two: ServerWorld;

const shared = (usual: ConfigurationFile): ConfigurationFile => ({
  ...usual,
  tokenService: {
    ...usual.tokenService!,
    applications: [
      {
        ...usual.tokenService!.applications![0]!,
        grants: [BILLING, ONCE, ROW].map((resource) => ({ resource, scopes: ['billing:read'] })),
      },
    ],
  },
  resources: [usual.resources![0]!, { ...usual.resources![0]!, identifier: ONCE, mandateReuse: 'single_use' }],
  stores: {
    redis: { url: { env: 'REDIS_URL' } },
    postgres: { url: { env: 'DATABASE_URL' }, resources: true },
  },
});

beforeAll(async () => {
  redis = await startRedis();
  database = await testDatabase();
  const environment = { REDIS_URL: `redis://127.0.0.1:${redis.port}`, DATABASE_URL: database.url };
  world = await serverWorld(shared, {}, environment);
  one = await startPrimary(world, 2);
  two = await serverWorld(
    (usual) => ({
      ...shared(usual),
      tokenService: undefined,
      gateway: { ...usual.gateway, id: 'two' },
      issuers: [{ issuer: one.url.tokenService!, jwksUri: `${one.url.tokenService}/.well-known/jwks.json` }],
    }),
    {},
    environment,
  );
  for (const url of [one.url.admin, two.url.admin]) {
    await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), PATIENT);
  }
}, 240_000);
afterAll(async () => {
  one?.kill();
  await two?.close();
  await world?.close();
  await redis?.close();
  await database?.drop();
});

interface Answer {
  readonly answer: string;
  readonly requestId: string;
}

/** A call on a connection of its own, so that any worker may get it. */
function call(gateway: string, mandate: string, resource = BILLING): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'X-Caracal-Resource': resource, Authorization: `Bearer ${mandate}` };
    const request = get(`${gateway}/v1/invoices/42`, { agent: false, headers }, (response) => {
      const { 'x-caracal-error': error, 'x-caracal-request-id': requestId } = response.headers;
      const answer = { answer: String(error ?? response.statusCode), requestId: String(requestId) };
      response.resume().once('end', () => resolve(answer));
      response.once('error', reject);
    });
    request.once('error', reject);
  });
}

const many = <T>(count: number, make: () => Promise<T>) => Promise.all(Array.from({ length: count }, make));
const mandate = (resource = BILLING) => mandateFrom(one.url.tokenService!, 'billing:read', resource);
const everywhere = () => [one.url.gateway!, two.url.gateway];
const answers = async (gateway: string, token: string, resource?: string) => [
  ...new Set((await many(20, () => call(gateway, token, resource))).map(({ answer }) => answer)),
];
const change = async (admin: string, what: string) => {
  const body = JSON.stringify({ anchors: [{ kind: 'client_id', id: 'billing-agent', issuer: one.url.tokenService }] });
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  expect((await fetch(`${admin}/v1/revocations${what}`, { method: 'POST', body, headers })).status).toBe(200);
};
const seen = () => world.seen.length + two.seen.length;
async function stored(requestIds: readonly string[]): Promise<string[]> {
  const { rows } = await database.pool.query(
    `SELECT type, count(*)::int AS entries, count(DISTINCT request_id)::int AS requests
     FROM caracal.audit_entries WHERE request_id = ANY($1) GROUP BY type ORDER BY type`,
    [requestIds],
  );
  return rows.map(({ type, entries, requests }) => `${type} ${entries} ${requests}`);
}

describe('two servers, one of them with workers, that share Redis and PostgreSQL', () => {
  it('refuse in every process what was revoked at either, until it is lifted', async () => {
    const token = await mandate();
    for (const at of [two.url.admin, one.url.admin!]) {
      for (const gateway of everywhere()) await expect.poll(() => answers(gateway, token), PATIENT).toEqual(['200']);
      await change(at, '');
      // News take milliseconds: then every process has them.
      for (const gateway of everywhere()) {
        await expect.poll(() => answers(gateway, token), PATIENT).toEqual(['session_revoked']);
      }
      const before = seen();
      for (const gateway of everywhere()) expect(await answers(gateway, token)).toEqual(['session_revoked']);
      expect(seen()).toBe(before);
      await change(at, '/lift');
      for (const gateway of everywhere()) await expect.poll(() => answers(gateway, token), PATIENT).toEqual(['200']);
    }
  }, 180_000);

  it('let a mandate be used once among all processes', async () => {
    // As if this memory had begun long ago: a new one takes no mandate of its first minute.
    const client = await redis.connect();
    const begins = await client.keys('*replay*begins');
    expect(begins.length).toBeGreaterThan(0);
    for (const key of begins) await client.set(key, 0);
    for (let round = 0; round < 3; round++) {
      const token = await mandate(ONCE);
      const before = seen();
      const used = await Promise.all(everywhere().map((gateway) => many(15, () => call(gateway, token, ONCE))));
      const counts = used.flat().filter(({ answer }) => answer === '200');
      expect(counts).toHaveLength(1);
      expect(new Set(used.flat().map(({ answer }) => answer))).toEqual(new Set(['200', 'token_replayed']));
      expect(seen()).toBe(before + 1);
    }
  }, 120_000);

  it('serve a row of the resource directory in every process as soon as it is there', async () => {
    const token = await mandate(ROW);
    for (const gateway of everywhere()) expect(await answers(gateway, token, ROW)).toEqual(['resource_not_permitted']);
    const {
      identifier: _,
      zone: __,
      ...document
    } = two.server.configuration.resources[0] as unknown as Record<string, unknown>;
    await putResource(database.pool, { zone: 'default', identifier: ROW, document });
    for (const gateway of everywhere()) {
      await expect.poll(() => answers(gateway, token, ROW), PATIENT).toEqual(['200']);
    }
    // A row that is wrong is told once, not by each worker.
    await putResource(database.pool, { zone: 'default', identifier: 'resource://wrong', document: { scopes: 1 } });
    await expect.poll(() => one.events('resources_row_refused').length, PATIENT).toBe(1);
    await expect
      .poll(() => two.logged.filter(({ event }) => event === 'resources_row_refused').length, PATIENT)
      .toBe(1);
  }, 120_000);

  it('leave the evidence of both in PostgreSQL, each record once; when one is killed, the other goes on', async () => {
    const token = await mandate();
    const ids: string[] = [];
    for (const gateway of everywhere()) {
      for (const { answer, requestId } of await many(20, () => call(gateway, token))) {
        expect(answer).toBe('200');
        ids.push(requestId);
      }
    }
    const whole = [`request.authorized ${ids.length} ${ids.length}`, `request.completed ${ids.length} ${ids.length}`];
    await expect.poll(() => stored(ids), PATIENT).toEqual(whole);
    const { rows } = await database.pool.query(
      'SELECT DISTINCT chain FROM caracal.audit_entries WHERE request_id = ANY($1)',
      [ids],
    );
    expect(rows).toHaveLength(2);
    const workers = one.events('worker_started').map(({ pid }) => pid);
    one.kill();
    const after = await many(20, () => call(two.url.gateway, token));
    expect(new Set(after.map(({ answer }) => answer))).toEqual(new Set(['200']));
    const later = after.map(({ requestId }) => requestId);
    await expect.poll(() => stored(later), PATIENT).toEqual(['request.authorized 20 20', 'request.completed 20 20']);
    // Nobody serves without the process that keeps the evidence.
    const gone = () => workers.filter((pid) => isThere(pid));
    await expect.poll(gone, PATIENT).toEqual([]);
    await change(two.url.admin, '');
    expect(await answers(two.url.gateway, token)).toEqual(['session_revoked']);
    for (const secret of [ADMIN_TOKEN, token, new URL(database.url).password]) {
      expect(one.log() + JSON.stringify(two.logged)).not.toContain(secret);
    }
  }, 180_000);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
