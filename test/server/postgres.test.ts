import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigurationFile } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunOptions, caracal as run } from '../cli/caracal.js';
import { type CuttingProxy, cuttingProxy } from '../servers/cutting-proxy.js';
import { type TestDatabase, testDatabase } from '../servers/postgres.js';
import { type ServerWorld, serverWorld, worldConfiguration } from './server.js';

const PATIENCE = { timeout: 60_000 };

let database: TestDatabase;
let proxy: CuttingProxy;
/** Where commands are run: another machine, with the same configuration and no state directory. */
let elsewhere: string;
let environment: { DATABASE_URL: string };
let password: string;
const worlds: ServerWorld[] = [];

const inPostgres = (usual: ConfigurationFile): ConfigurationFile => ({
  ...usual,
  stores: { postgres: { url: { env: 'DATABASE_URL' } } },
});
const caracal = (args: readonly string[], options: RunOptions = {}) =>
  run(args, { cwd: elsewhere, env: { ...environment }, ...options });

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  const url = new URL(database.url);
  password = url.password;
  proxy = await cuttingProxy(Number(url.port));
  url.port = String(proxy.port);
  environment = { DATABASE_URL: url.href };
  elsewhere = await mkdtemp(join(tmpdir(), 'caracal-elsewhere-'));
  const configuration = inPostgres(worldConfiguration('http://127.0.0.1:9'));
  await writeFile(join(elsewhere, 'caracal.config.json'), JSON.stringify(configuration));
});

afterAll(async () => {
  proxy?.restore();
  for (const world of worlds) await world.close();
  await proxy?.close();
  await database?.drop();
  if (elsewhere !== undefined) await rm(elsewhere, { recursive: true });
});

async function startWorld(): Promise<ServerWorld> {
  const world = await serverWorld(inPostgres, {}, environment);
  worlds.push(world);
  return world;
}

async function stored(requestId: string): Promise<string[]> {
  const { rows } = await database.pool.query(
    'SELECT type FROM caracal.audit_entries WHERE request_id = $1 ORDER BY at, id',
    [requestId],
  );
  return rows.map(({ type }) => type);
}

/** Ms since the last record of a chain was made. */
async function quietFor(chain: string): Promise<number> {
  const { rows } = await database.pool.query(
    'SELECT extract(epoch FROM now() - max(at)) * 1000 AS ms FROM caracal.audit_entries WHERE chain = $1',
    [chain],
  );
  return Number(rows[0].ms);
}

async function idOfCall(world: ServerWorld, mandate: string): Promise<string> {
  const answer = await world.call(mandate);
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  return answer.headers.get('x-caracal-request-id')!;
}

describe('a server with PostgreSQL', () => {
  it('does not start on a database without tables, which caracal migrate makes', async () => {
    await expect(startWorld()).rejects.toThrow('run caracal migrate');
    const migrated = await caracal(['migrate', '--json']);
    expect({ code: migrated.code, err: migrated.err }).toEqual({ code: 0, err: '' });
    expect(migrated.objects()[0]).toMatchObject({ from: 0, applied: expect.any(Array) });
    const again = await caracal(['migrate', '--retention-days', '365']);
    expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: '' });
    expect(again.out).toMatch(/^the schema is version \d+ already\nmonths of evidence dropped: 0\n$/);
    const wrong = await caracal(['migrate', '--grant', 'writer=x']);
    expect({ code: wrong.code, err: wrong.err }).toEqual({ code: 2, err: expect.stringContaining('PART=ROLE') });
  }, 120_000);

  it('ships evidence, which commands elsewhere read and verify', async () => {
    const world = await startWorld();
    const requestId = await idOfCall(world, await world.mandate());
    const types = ['request.authorized', 'request.completed'];
    await expect.poll(() => stored(requestId), PATIENCE).toEqual(types);
    const queried = await caracal(['audit', 'query', '--request-id', requestId, '--json']);
    expect(queried.code).toBe(0);
    expect(queried.objects().map(({ type }) => type)).toEqual(types);
    expect(queried.errors()).toEqual([{ level: 'note', message: expect.stringContaining('read from PostgreSQL') }]);
    const traced = await caracal(['audit', 'trace', requestId, '--json']);
    expect(traced.objects()[0]).toMatchObject({ outcome: 'executed', issue: { type: 'mandate.issued' } });
    const exported = await caracal(['audit', 'export', '--request-id', requestId]);
    expect(exported.objects()).toHaveLength(2);
    await writeFile(join(elsewhere, 'gateway.pem'), world.server.journal.publicKey);
    await expect
      .poll(async () => (await database.pool.query('SELECT FROM caracal.audit_heads')).rowCount, PATIENCE)
      .toBeGreaterThan(0);
    const verified = await caracal('audit verify --from postgres --public-key gateway.pem --json'.split(' '));
    expect({ code: verified.code, notes: verified.errors() }).toEqual({ code: 0, notes: queried.errors() });
    expect(verified.objects()[0]).toMatchObject({ ok: true, directory: 'PostgreSQL' });
    const metrics = await (await world.admin('/metrics')).text();
    expect(metrics).toMatch(/^caracal_audit_shipping_up 1$/m);
    expect(metrics).toMatch(/^caracal_audit_shipping_through_timestamp_seconds 1[0-9.]+$/m);
  }, 120_000);

  it('refuses nothing while PostgreSQL is away, and stores each record once when it is back', async () => {
    const [world] = worlds as [ServerWorld];
    const mandate = await world.mandate();
    proxy.cut();
    const ids: string[] = [];
    for (let calls = 0; calls < 20; calls++) ids.push(await idOfCall(world, mandate));
    await expect
      .poll(() => world.logged.some(({ event }) => event === 'audit_shipping_unavailable'), PATIENCE)
      .toBe(true);
    expect((await world.admin('/readyz')).status).toBe(200);
    const away = await caracal(['audit', 'query', '--from', 'postgres']);
    expect({ code: away.code, out: away.out }).toEqual({ code: 1, out: '' });
    expect(away.err).toContain('PostgreSQL cannot be reached');
    const fromJournal = await caracal(['audit', 'query', '--request-id', ids[0]!, '--config', world.file, '--json']);
    expect(fromJournal.objects()).toHaveLength(2);
    expect(fromJournal.err).toContain('read from the journal');
    // Starts without it, too.
    const other = await startWorld();
    expect(other.logged.map(({ event }) => event)).toContain('postgres_unavailable');
    ids.push(await idOfCall(other, await other.mandate()));
    proxy.restore();
    for (const id of ids) {
      await expect.poll(() => stored(id), PATIENCE).toEqual(['request.authorized', 'request.completed']);
    }
    for (const { logged } of worlds) expect(JSON.stringify(logged)).not.toContain(password);
    expect(away.err + fromJournal.err).not.toContain(password);
  }, 180_000);

  it('keeps the chains of two servers of one id apart', async () => {
    const { rows } = await database.pool.query('SELECT DISTINCT chain FROM caracal.audit_entries');
    expect(rows).toHaveLength(2);
    const { rows: positions } = await database.pool.query('SELECT journal FROM caracal.audit_positions');
    expect(positions).toHaveLength(2);
    const verified = await caracal(['audit', 'verify', '--from', 'postgres', '--json']);
    expect(verified.objects()[0]).toMatchObject({ ok: true, chains: 2 });
  }, 60_000);

  it('ships what is left when it stops', async () => {
    const world = worlds.pop()!;
    // However quiet it was before: longer than a shipper that closes waits for more.
    const through = world.server.journal.chain;
    await expect.poll(() => quietFor(through), PATIENCE).toBeGreaterThan(1_500);
    const requestId = await idOfCall(world, await world.mandate());
    await world.close();
    expect(await stored(requestId)).toEqual(['request.authorized', 'request.completed']);
  }, 60_000);

  it('does not start on the schema of an older release; on that of a newer one it does, and says so', async () => {
    const latest = '(SELECT max(version) FROM caracal.migrations)';
    const { rows } = await database.pool.query(`DELETE FROM caracal.migrations WHERE version = ${latest} RETURNING *`);
    await expect(startWorld()).rejects.toThrow('names a database of an older release');
    const [{ version, name, checksum }] = rows;
    const insert = 'INSERT INTO caracal.migrations (version, name, checksum) VALUES ($1, $2, $3)';
    await database.pool.query(insert, [version, name, checksum]);
    await database.pool.query(insert, [version + 1, 'of tomorrow', 'x']);
    const world = await startWorld();
    expect(world.logged.map(({ event }) => event)).toContain('postgres_schema_newer');
    expect((await world.call(await world.mandate())).status).toBe(200);
    await database.pool.query('DELETE FROM caracal.migrations WHERE version > $1', [version]);
  }, 60_000);

  it('has evidence whose change is found', async () => {
    await database.pool.query(`ALTER TABLE caracal.audit_entries DISABLE TRIGGER append_only;
      UPDATE caracal.audit_entries SET line = replace(line, '"status":200', '"status":204')
      WHERE id = (SELECT id FROM caracal.audit_entries WHERE line LIKE '%"status":200%' ORDER BY at, id LIMIT 1)`);
    const verified = await caracal(['audit', 'verify', '--from', 'postgres', '--json']);
    expect(verified.code).toBe(1);
    expect(verified.objects()[0]).toMatchObject({ ok: false, failure: { reason: 'wrong_hash' } });
  }, 60_000);
});
