import { hash } from 'node:crypto';
import { type ConnectionKey, evidenceText } from '@caracal/core';
import {
  grantStatements,
  type MigrationReport,
  migrate,
  PostgresError,
  postgresConnectionStore,
  SCHEMA_VERSION,
  schemaVersion,
} from '@caracal/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { roleOf, type TestDatabase, testDatabase } from '../servers/postgres.js';

let database: TestDatabase;

beforeEach(async () => {
  database = await testDatabase({ migrated: false });
});
afterEach(() => database.drop());

const months = async () =>
  (await database.pool.query(`SELECT inhrelid::regclass::text AS name FROM pg_inherits ORDER BY 1`)).rows
    .map(({ name }) => name)
    .filter((name) => /audit_\d{4}_\d{2}$/.test(name));

describe('migrate', () => {
  it('brings an empty database to the latest version, with the months to come, and does nothing the second time', async () => {
    expect(await schemaVersion(database.pool)).toBe(0);
    const first = await migrate(database.pool);
    expect([first.from, first.to, first.applied.length]).toEqual([0, SCHEMA_VERSION, SCHEMA_VERSION]);
    expect(await migrate(database.pool)).toEqual({ from: SCHEMA_VERSION, to: SCHEMA_VERSION, applied: [] });
    expect(await schemaVersion(database.pool)).toBe(SCHEMA_VERSION);
    expect(await months()).toHaveLength(4);
  });

  it('lets one of many at once do it, and the others find it done', async () => {
    const reports = await Promise.all(Array.from({ length: 6 }, () => migrate(database.pool)));
    const did = reports.filter(({ applied }: MigrationReport) => applied.length > 0);
    expect(did).toHaveLength(1);
  });

  it('refuses a database of a newer release and one whose steps are others, and changes nothing', async () => {
    await migrate(database.pool);
    await database.pool.query(`INSERT INTO caracal.migrations (version, name, checksum) VALUES (99, 'later', 'x')`);
    await expect(migrate(database.pool)).rejects.toMatchObject({ code: 'schema_newer' });
    await database.pool.query(`DELETE FROM caracal.migrations WHERE version = 99`);
    await database.pool.query(`UPDATE caracal.migrations SET checksum = 'x' WHERE version = 2`);
    const refused = await migrate(database.pool).catch((cause: unknown) => cause);
    expect(refused).toBeInstanceOf(PostgresError);
    expect(String(refused)).toContain('migration 2');
  });

  it('takes back everything where a step fails', async () => {
    await database.pool.query('CREATE SCHEMA caracal; CREATE TABLE caracal.connections (mine text)');
    await expect(migrate(database.pool)).rejects.toMatchObject({ code: 'refused', sqlState: '42P07' });
    expect(await schemaVersion(database.pool)).toBe(0);
  });

  it('names the connections of a release before where their label proves whose they are, the others when they are read', async () => {
    await migrate(database.pool);
    const { pool } = database;
    await pool.query(`ALTER TABLE caracal.connections DROP COLUMN zone, DROP COLUMN provider, DROP COLUMN issuer, DROP COLUMN subject;
      DROP INDEX caracal.audit_entries_subject, caracal.audit_entries_type;
      DELETE FROM caracal.migrations WHERE version >= 4`);
    const issuer = 'https://issuer.example';
    const keys: ConnectionKey[] = [
      { zoneId: 'default', providerId: 'provider://p', owner: { issuer, subject: 'alice "quoted" \\' } },
      { zoneId: 'default', providerId: 'provider://p', owner: { issuer, subject: 'alice' } },
      { zoneId: 'default', providerId: 'provider://p', owner: { issuer, subject: 'tab\tbell\u0007\u2028' } },
      { zoneId: 'default', providerId: 'provider://p', owner: 'shared' },
      // What a label loses, or cannot tell apart.
      { zoneId: 'default', providerId: 'provider://p', owner: { issuer, subject: 'two words' } },
      { zoneId: 'default', providerId: 'provider://p', owner: { issuer, subject: 'a\0b' } },
      { zoneId: 'default', providerId: 'provider://p', owner: { issuer, subject: '\ud800' } },
      { zoneId: 'default', providerId: 'provider://p', owner: { issuer, subject: 'x'.repeat(2_000) } },
    ];
    for (const { zoneId, providerId, owner } of keys) {
      const parts = owner === 'shared' ? [zoneId, providerId] : [zoneId, providerId, owner.issuer, owner.subject];
      await pool.query('INSERT INTO caracal.connections (key, label, version, content) VALUES ($1, $2, $3, $4)', [
        hash('sha256', JSON.stringify(parts), 'buffer'),
        evidenceText(parts.join(' ')),
        'v',
        JSON.stringify({ id: 'i', sealed: 's' }),
      ]);
    }
    expect((await migrate(pool)).applied[0]).toEqual({ version: 4, name: 'connection_keys' });
    const store = postgresConnectionStore({ pool, timeoutMs: 20_000 });
    const listed = async () => {
      const texts: string[] = [];
      for await (const key of store.keys()) texts.push(JSON.stringify(key));
      return texts.sort();
    };
    const expected = (count: number) =>
      keys
        .slice(0, count)
        .map((key) => JSON.stringify(key))
        .sort();
    // The first has spaces in it.
    expect(await listed()).toEqual(expected(4).filter((text) => !text.includes('quoted')));
    for (const key of keys) expect(await store.get(key)).toMatchObject({ id: 'i' });
    await expect.poll(listed, { timeout: 20_000 }).toEqual(expected(keys.length));
    expect(await store.put(keys[5]!, 'v', { id: 'i', sealed: 'again' })).not.toBe('conflict');
    expect(await listed()).toEqual(expected(keys.length));
  });

  it('does not let a name of a role become a statement', () => {
    expect(grantStatements('reader', 'a"; DROP SCHEMA caracal; --')).toContain('TO "a""; DROP SCHEMA caracal; --";');
  });
});

describe('the roles', () => {
  const refused = async (pool: { query(text: string): Promise<unknown> }, text: string) =>
    expect(pool.query(text), text).rejects.toMatchObject({ code: '42501' });

  it('let a shipper add evidence and do nothing else', async () => {
    const pool = await database.as('shipper');
    await migrate(database.pool, { grants: { shipper: await roleOf(pool) } });
    const id = '0190a5a0-0000-7000-8000-000000000001';
    await pool.query(`SELECT caracal.ensure_audit_months('2026-11-01Z')`);
    await pool.query(
      `INSERT INTO caracal.audit_entries (at, id, chain, seq, type, time, line)
       VALUES ('2026-11-05Z', '${id}', '${id}', 1, 'request.denied', '2026-11-05Z', '{}') ON CONFLICT DO NOTHING`,
    );
    for (const text of [
      'SELECT * FROM caracal.audit_entries',
      'SELECT * FROM caracal.audit_2026_11',
      'SELECT * FROM caracal.audit_set_aside',
      'SELECT * FROM caracal.audit_heads',
      `UPDATE caracal.audit_entries SET line = ''`,
      'DELETE FROM caracal.audit_entries',
      'TRUNCATE caracal.audit_entries',
      'DROP TABLE caracal.audit_2026_11',
      'CREATE TABLE caracal.mine (a int)',
      'SELECT * FROM caracal.connections',
      'SELECT * FROM caracal.resources',
    ]) {
      await refused(pool, text);
    }
  });

  it('let a reader read evidence and change nothing', async () => {
    const pool = await database.as('reader');
    await migrate(database.pool, { grants: { reader: await roleOf(pool) } });
    for (const table of ['audit_entries', 'audit_requests', 'audit_set_aside', 'audit_heads', 'audit_retention']) {
      await pool.query(`SELECT * FROM caracal.${table}`);
    }
    await refused(pool, 'DELETE FROM caracal.audit_entries');
    await refused(pool, `INSERT INTO caracal.audit_chains (chain) VALUES (gen_random_uuid())`);
    await refused(pool, 'SELECT * FROM caracal.connections');
    await refused(pool, `SELECT caracal.ensure_audit_months(now())`);
  });

  it('let a gateway keep connections and read resources, and see no evidence', async () => {
    const pool = await database.as('gateway');
    await migrate(database.pool, { grants: { gateway: await roleOf(pool) } });
    await pool.query('SELECT * FROM caracal.connections');
    await pool.query('SELECT * FROM caracal.resources');
    await refused(pool, `INSERT INTO caracal.resources VALUES ('default', 'r:a', '{}')`);
    await refused(pool, 'SELECT * FROM caracal.audit_entries');
  });

  it('keep even the owner from changing evidence by mistake', async () => {
    await migrate(database.pool);
    const id = '0190a5a0-0000-7000-8000-000000000001';
    await database.pool.query(
      `INSERT INTO caracal.audit_entries (at, id, chain, seq, type, time, line)
       VALUES (now(), '${id}', '${id}', 1, 'request.denied', now(), '{}')`,
    );
    await refused(database.pool, `UPDATE caracal.audit_entries SET line = ''`);
    await refused(database.pool, 'DELETE FROM caracal.audit_entries');
    await refused(database.pool, 'TRUNCATE caracal.audit_entries');
    const [month] = await months();
    await refused(database.pool, `TRUNCATE ${month}`);
  });
});
