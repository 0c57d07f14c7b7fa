import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@caracal/postgres';
import type { ConfigurationFile } from '@caracal/server';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caracal } from '../cli/caracal.js';
import { type CuttingProxy, cuttingProxy } from '../servers/cutting-proxy.js';
import { roleOf, type TestDatabase, testDatabase } from '../servers/postgres.js';
import { BILLING, type ServerWorld, serverWorld, worldConfiguration } from './server.js';

const PATIENCE = { timeout: 60_000 };

let database: TestDatabase;
/** Before what is shipped, and before what is read. */
let shipping: CuttingProxy;
let reading: CuttingProxy;
let environment: { readonly DATABASE_URL: string; readonly READER_URL: string };
let passwords: readonly string[];
/** Two gateways that ship to one database. */
const worlds: ServerWorld[] = [];

type Postgres = NonNullable<NonNullable<ConfigurationFile['stores']>['postgres']>;
const withPostgres =
  (more: Partial<Postgres> = {}) =>
  (usual: ConfigurationFile): ConfigurationFile => ({
    ...usual,
    stores: {
      postgres: { url: { env: 'DATABASE_URL' }, readerUrl: { env: 'READER_URL' }, connections: false, ...more },
    },
  });

function through(proxy: CuttingProxy, pool: pg.Pool): string {
  const url = new URL(pool.options.connectionString!);
  url.port = String(proxy.port);
  return url.href;
}

beforeAll(async () => {
  database = await testDatabase();
  const [shipper, reader] = [await database.as('shipper'), await database.as('reader')] as const;
  await migrate(database.pool, { grants: { shipper: await roleOf(shipper), reader: await roleOf(reader) } });
  shipping = await cuttingProxy(Number(new URL(database.url).port));
  reading = await cuttingProxy(Number(new URL(database.url).port));
  environment = { DATABASE_URL: through(shipping, shipper), READER_URL: through(reading, reader) };
  passwords = Object.values(environment).map((url) => new URL(url).password);
  for (let gateway = 0; gateway < 2; gateway++) worlds.push(await serverWorld(withPostgres(), {}, environment));
}, 120_000);
afterAll(async () => {
  shipping?.restore();
  reading?.restore();
  for (const world of worlds) {
    await world.close();
    for (const password of passwords) expect(JSON.stringify(world.logged)).not.toContain(password);
  }
  await shipping?.close();
  await reading?.close();
  await database?.drop();
});

interface Told {
  readonly cursor: string;
  readonly hash: string;
  readonly record: {
    readonly id: string;
    readonly type: string;
    readonly requestId?: string;
    readonly subject?: string;
  };
}

async function records(world: ServerWorld, query = ''): Promise<Told[]> {
  const answer = await world.admin(`/v1/audit/records?${query}`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  return (await answer.text()).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

async function call(world: ServerWorld): Promise<string> {
  const answer = await world.call(await world.mandate());
  await answer.arrayBuffer();
  return answer.headers.get('x-caracal-request-id')!;
}

async function shipped(...requestIds: readonly string[]): Promise<void> {
  const text = `SELECT FROM caracal.audit_entries WHERE request_id = ANY($1) AND type IN ('request.completed', 'request.denied')`;
  await expect
    .poll(async () => (await database.pool.query(text, [requestIds])).rowCount, PATIENCE)
    .toBe(requestIds.length);
}

const trace = (world: ServerWorld, requestId: string, query = '') =>
  world.admin(`/v1/audit/requests/${requestId}${query}`);

describe('the admin endpoint of gateways that ship their evidence', () => {
  it('tells of every gateway’s requests at each of them, as their own journals tell them', async () => {
    const [one, other] = worlds as [ServerWorld, ServerWorld];
    const ids = [await call(one), await call(other)];
    await shipped(...ids);
    for (const world of worlds) {
      const told = (await records(world)).filter(({ record }) => ids.includes(record.requestId ?? ''));
      const own = await Promise.all(worlds.map((each) => records(each, 'source=journal')));
      const expected = own.flat().filter(({ record }) => ids.includes(record.requestId ?? ''));
      expect(told).toHaveLength(4);
      const byCursor = (list: readonly Told[]) => list.toSorted((a, b) => (a.cursor < b.cursor ? -1 : 1));
      expect(byCursor(told)).toEqual(byCursor(expected));
    }
    for (const id of ids) {
      const traced = await (await trace(one, id)).json();
      expect(traced).toMatchObject({
        requestId: id,
        outcome: 'executed',
        issue: { record: { type: 'mandate.issued' } },
        records: [{ record: { type: 'request.authorized' } }, { record: { type: 'request.completed' } }],
      });
    }
    const elsewhere = await trace(one, ids[1]!, '?source=journal');
    expect(elsewhere.status).toBe(404);
  }, 120_000);

  it('goes page by page over all of it, each record once', async () => {
    const [one, other] = worlds as [ServerWorld, ServerWorld];
    const ids: string[] = [];
    for (let calls = 0; calls < 3; calls++) ids.push(await call(one), await call(other));
    await shipped(...ids);
    const filters = `application=billing-agent&resource=${encodeURIComponent(BILLING)}`;
    const all = await records(one, `${filters}&limit=10000`);
    const paged: Told[] = [];
    for (let after = ''; ; after = `&after=${paged.at(-1)!.cursor}`) {
      const page = await records(other, `${filters}&limit=3${after}`);
      paged.push(...page);
      if (page.length < 3) break;
    }
    expect(paged.map(({ record }) => record.id)).toEqual(all.map(({ record }) => record.id));
    expect(new Set(paged.map(({ cursor }) => cursor)).size).toBe(paged.length);
    expect(paged.filter(({ record }) => ids.includes(record.requestId ?? ''))).toHaveLength(2 * ids.length);
    // A cursor of what is not here begins behind the last one before it.
    const [chain] = paged.at(-1)!.cursor.split(':');
    expect(await records(one, `${filters}&after=${chain}:999999999`)).toEqual([]);
    const unknown = `${filters}&after=00000000-0000-7000-8000-000000000000:5&limit=10000`;
    expect((await records(one, unknown)).length).toBe(all.length);
  }, 120_000);

  it('is found by type and by subject, in both places, through the endpoint and the command', async () => {
    const [one] = worlds as [ServerWorld];
    const id = await call(one);
    const refused = (await fetch(one.url.gateway)).headers.get('x-caracal-request-id')!;
    await shipped(id, refused);
    const all = await records(one, 'source=journal&limit=10000');
    const { subject } = all.find(({ record }) => record.requestId === id)!.record;
    expect(subject).toBeTypeOf('string');
    const asked: [Record<string, string>, string[]][] = [
      [{ subject: subject! }, ['request.authorized', 'request.completed']],
      [{ subject: subject!, type: 'request.completed' }, ['request.completed']],
      [{ type: 'request.authorized' }, ['request.authorized']],
      [{ type: 'request.denied' }, []],
      [{ subject: `${subject}x` }, []],
    ];
    for (const [filter, types] of asked) {
      for (const source of ['postgres', 'journal']) {
        const query = new URLSearchParams({ ...filter, requestId: id, source });
        const told = await records(one, query.toString());
        expect(
          told.map(({ record }) => record.type),
          query.toString(),
        ).toEqual(types);
        const options = Object.entries(filter).flatMap(([name, value]) => [`--${name}`, value]);
        const args = [
          'audit',
          'query',
          '--json',
          '--config',
          one.file,
          '--from',
          source,
          '--request-id',
          id,
          ...options,
        ];
        const ran = await caracal(args, { cwd: one.directory, env: { ...one.environment } });
        expect({ code: ran.code, types: ran.objects().map(({ type }) => type) }, args.join(' ')).toEqual({
          code: 0,
          types,
        });
      }
    }
    for (const source of ['postgres', 'journal']) {
      const denied = await records(one, `type=request.denied&source=${source}`);
      expect(denied.map(({ record }) => record.requestId)).toContain(refused);
      expect(new Set(denied.map(({ record }) => record.type))).toEqual(new Set(['request.denied']));
      const answer = await one.admin(`/v1/audit/records?type=request.refused&source=${source}`);
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { error_description: expect.stringMatching(/^type is one of request\.denied, /) },
      ]);
    }
  }, 120_000);

  it('finds what was not shipped yet where one request is asked for', async () => {
    const [one] = worlds as [ServerWorld];
    shipping.cut();
    try {
      const refused = (await fetch(one.url.gateway)).headers.get('x-caracal-request-id')!;
      await expect.poll(async () => (await trace(one, refused)).status, PATIENCE).toBe(200);
      expect(await (await trace(one, refused)).json()).toMatchObject({
        records: [{ record: { type: 'request.denied', error: 'missing_token' } }],
      });
      const done = await call(one);
      await expect
        .poll(async () => ((await (await trace(one, done)).json()) as { outcome?: string }).outcome, PATIENCE)
        .toBe('executed');
      expect(
        (await database.pool.query('SELECT FROM caracal.audit_entries WHERE request_id = $1', [done])).rowCount,
      ).toBe(0);
    } finally {
      shipping.restore();
    }
  }, 120_000);

  it('is 503 with what to do while PostgreSQL is away, never an empty answer, and the journal answers on', async () => {
    const [one] = worlds as [ServerWorld];
    const id = await call(one);
    await shipped(id);
    const asked = ['/v1/audit/records', `/v1/audit/requests/${id}`, '/v1/audit/records?source=postgres'];
    for (const [leave, paths] of [
      [reading.cut, asked],
      [reading.swallow, asked.slice(0, 1)], // each waits for the deadline
    ] as const) {
      leave();
      for (const path of paths) {
        const answer = await one.admin(path);
        expect([answer.status, answer.headers.get('retry-after')], path).toEqual([503, '1']);
        const { error, error_description } = (await answer.json()) as { error: string; error_description: string };
        expect(error).toBe('evidence_unavailable');
        expect(error_description).toMatch(
          /^PostgreSQL (?:cannot be reached|did not answer in time).*; source=journal answers/,
        );
        for (const password of passwords) expect(error_description).not.toContain(password);
      }
      expect((await trace(one, id, '?source=journal')).status).toBe(200);
      expect((await records(one, 'source=journal')).length).toBeGreaterThan(0);
      expect((await one.admin('/readyz')).status).toBe(200);
      reading.restore();
      await expect.poll(async () => (await one.admin('/v1/audit/records')).status, PATIENCE).toBe(200);
    }
    expect(one.logged.filter(({ event }) => event === 'evidence_unavailable').length).toBeGreaterThan(0);
  }, 180_000);

  it('reads as a role that may, and says which grants are missing where it may not', async () => {
    const world = await serverWorld(withPostgres(), {}, { ...environment, READER_URL: environment.DATABASE_URL });
    worlds.push(world);
    for (const path of ['/v1/audit/records', '/v1/audit/requests/none']) {
      const answer = await world.admin(path);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({
        error: 'evidence_unavailable',
        error_description: expect.stringContaining('see docs/stores/postgres for its grants'),
      });
    }
    expect((await world.call(await world.mandate())).status).toBe(200);
  }, 120_000);

  it('knows the places there are', async () => {
    const [one] = worlds as [ServerWorld];
    for (const query of ['source=redis', 'source=', 'source=journal&source=postgres', 'source=Postgres']) {
      for (const path of ['records', 'requests/none']) {
        const answer = await one.admin(`/v1/audit/${path}?${query}`);
        expect([answer.status, await answer.json()], query).toMatchObject([
          400,
          { error: 'invalid_request', error_description: 'source is postgres or journal.' },
        ]);
      }
    }
    expect((await one.admin('/v1/audit/stream?source=postgres')).status).toBe(400);
    expect((await fetch(`${one.url.admin}/v1/audit/records?source=postgres`)).status).toBe(401);
  }, 60_000);
});

describe('commands that read evidence', () => {
  it('read it as the role that may, and from the journal where it is not shipped', async () => {
    const [one] = worlds as [ServerWorld];
    const id = await call(one);
    await shipped(id);
    const directory = await mkdtemp(join(tmpdir(), 'caracal-elsewhere-'));
    try {
      const asked = ['audit', 'query', '--request-id', id, '--json'];
      const write = (more: Partial<Postgres>) => {
        const configuration = withPostgres(more)(worldConfiguration('http://127.0.0.1:9'));
        return writeFile(join(directory, 'caracal.config.json'), JSON.stringify(configuration));
      };
      await write({});
      const found = await caracal(asked, { cwd: directory, env: { ...environment } });
      expect({ code: found.code, types: found.objects().map(({ type }) => type) }).toEqual({
        code: 0,
        types: ['request.authorized', 'request.completed'],
      });
      await write({ audit: false });
      const notThere = await caracal(asked, { cwd: directory, env: { ...environment } });
      expect({ code: notThere.code, out: notThere.out }).toEqual({ code: 1, out: '' });
      expect(notThere.err).toContain('no gateway has run with this state directory yet');
      const given = await caracal([...asked, '--from', 'postgres'], { cwd: directory, env: { ...environment } });
      expect(given.objects()).toHaveLength(2);
    } finally {
      await rm(directory, { recursive: true });
    }
  }, 120_000);
});
