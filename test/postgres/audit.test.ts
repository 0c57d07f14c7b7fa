import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditFilter, AuditRecord } from '@caracal/core';
import { type Journal, openJournal, openJournalReader, verifyChains } from '@caracal/file';
import {
  type AuditShipper,
  applyAuditRetention,
  type JournalSource,
  migrate,
  type PostgresWarning,
  postgresAuditReader,
  postgresAuditShipper,
  type SourceEntry,
} from '@caracal/postgres';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld, RESOURCE } from '../gateway/fake-world.js';
import { type CuttingProxy, cuttingProxy } from '../servers/cutting-proxy.js';
import { quietPool, roleOf, type TestDatabase, testDatabase } from '../servers/postgres.js';
import { until } from './until.js';

let database: TestDatabase;
let shipperPool: pg.Pool;
let directory: string;
let warnings: PostgresWarning[];
const opened: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  database = await testDatabase();
  // All of it as the role that can only insert.
  shipperPool = await database.as('shipper');
  await migrate(database.pool, { grants: { shipper: await roleOf(shipperPool) } });
  directory = await mkdtemp(join(tmpdir(), 'caracal-shipper-'));
  warnings = [];
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  await database.drop();
  await rm(directory, { recursive: true });
});

function shipperOf(changes: Partial<Parameters<typeof postgresAuditShipper>[0]> = {}): AuditShipper {
  const shipper = postgresAuditShipper({
    pool: shipperPool,
    journal: 'gateway-1',
    gatherMs: 20,
    maxRetryMs: 200,
    onWarning: (warning) => warnings.push(warning),
    ...changes,
  });
  opened.push(shipper);
  return shipper;
}

async function journalOf(shipper?: AuditShipper): Promise<Journal> {
  const journal = await openJournal({
    directory,
    onWarning() {},
    ...(shipper && { headSink: (head) => shipper.keepHead(head) }),
  });
  opened.push(journal);
  return journal;
}

async function governed(journal: Journal, requests: number): Promise<FakeWorld> {
  const world = await fakeWorld({}, { audit: { sink: journal, durability: 'written' } });
  await send(world, requests);
  return world;
}

async function send(world: FakeWorld, requests: number): Promise<void> {
  const mandate = await world.mint();
  for (let index = 0; index < requests; index++) {
    if (index % 5 === 4) await world.send(world.head(undefined));
    else await world.send(world.head(mandate));
  }
}

async function entriesOf(journal: { entries: Journal['entries'] }): Promise<SourceEntry[]> {
  return await collected(journal.entries());
}

async function collected<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of all) list.push(one);
  return list;
}

const stored = async () =>
  (await database.pool.query('SELECT chain, seq::int AS seq, id, line FROM caracal.audit_entries ORDER BY chain, seq'))
    .rows;
const setAside = async () =>
  (await database.pool.query('SELECT seq::int AS seq, reason, detail, bytes FROM caracal.audit_set_aside ORDER BY seq'))
    .rows;
const reader = () => postgresAuditReader({ pool: database.pool });

/** A source that is no journal: what a journal never writes. */
function sourceOf(entries: readonly SourceEntry[]): JournalSource {
  return {
    heads: async () => [],
    async *entries() {
      yield* entries;
    },
  };
}

const CHAIN = '7d1b6a6e-3b0e-4f1d-9a55-0c2f4a8f1e11';
function entry(seq: number, record: Partial<AuditRecord> & Record<string, unknown> = {}, line?: string): SourceEntry {
  const whole = {
    id: `0199f0a0-0000-7000-8000-${String(seq).padStart(12, '0')}`,
    type: 'request.denied',
    time: '2025-10-17T00:00:00.000Z',
    ...record,
  };
  const hash = String(seq % 10).repeat(64);
  return {
    chain: CHAIN,
    seq,
    hash,
    record: whole,
    line: line ?? `{"seq":${seq},${JSON.stringify(whole).slice(1, -1)},"hash":"${hash}"}`,
  };
}

async function ship(entries: readonly SourceEntry[], changes?: Parameters<typeof shipperOf>[0]): Promise<AuditShipper> {
  const shipper = shipperOf(changes);
  shipper.start(sourceOf(entries));
  await until('everything is stored', () => {
    const { shipped, setAside: aside } = shipper.status();
    return shipped + aside >= entries.length;
  });
  return shipper;
}

describe('evidence that is shipped', () => {
  it('is there byte for byte, answers what the journal answers, and verifies from PostgreSQL alone', async () => {
    const shipper = shipperOf();
    const journal = await journalOf(shipper);
    shipper.start(journal);
    const world = await governed(journal, 40);
    await world.gateway.close();
    await journal.close();
    await shipper.close();

    const written = await entriesOf(await openJournalReader(directory));
    expect((await stored()).map(({ line }) => line)).toEqual(written.map(({ line }) => line));
    const ofJournal = await openJournalReader(directory);
    const subject = written.map(({ record }) => (record as AuditRecord).subject).find((each) => each !== undefined)!;
    const filters: AuditFilter[] = [
      {},
      { limit: 7 },
      { decision: 'denied' },
      { outcome: 'executed', limit: 3 },
      { resource: RESOURCE },
      { application: 'nobody' },
      { zone: 'default', outcome: 'executed' },
      { since: written[20]!.record.time },
      { until: written[20]!.record.time },
      { since: '2000-01-01', until: '2001-01-01' },
      { type: 'request.denied' },
      { type: 'request.completed', resource: RESOURCE },
      { type: 'mandate.issued' },
      { subject },
      { subject, type: 'request.completed', outcome: 'executed' },
      { subject: `${subject}x` },
    ];
    for (const filter of filters) {
      const wanted = (await collected(ofJournal.query(filter))).map(({ record }) => record.id).sort();
      const found = (await collected(reader().query(filter))).map(({ record }) => record.id).sort();
      if (filter.limit === undefined) expect(found, JSON.stringify(filter)).toEqual(wanted);
      else expect(found.length, JSON.stringify(filter)).toBe(wanted.length);
    }
    for (const filter of [{ resource: RESOURCE }, { subject }]) {
      expect((await collected(ofJournal.query(filter))).length).toBeGreaterThan(60);
    }
    const [some] = await collected(ofJournal.query({ outcome: 'executed' }));
    const trace = await reader().trace(some!.record.requestId!);
    expect(trace).toEqual(await ofJournal.trace(some!.record.requestId!));
    expect(trace.records).toHaveLength(2);

    const heads = await reader().heads();
    expect(heads.length).toBeGreaterThan(0);
    const report = await verifyChains({ chains: reader().chains(), localHeads: heads, publicKey: journal.publicKey });
    expect(report.failure).toBeUndefined();
    expect([report.records, report.uncovered]).toEqual([written.length, 0]);
    // Heads that PostgreSQL keeps prove the files: they are elsewhere.
    expect((await ofJournal.verify({ publicKey: journal.publicKey, heads })).uncoveredOutside).toBe(0);
  });

  it('pairs each request with its end in a view', async () => {
    const shipper = shipperOf();
    const journal = await journalOf();
    shipper.start(journal);
    await (await governed(journal, 10)).gateway.close();
    await journal.close();
    await shipper.close();
    const { rows } = await database.pool.query(
      `SELECT decision, outcome, status, application_id, began->>'path' AS path, ended->>'attempts' AS attempts
       FROM caracal.audit_requests ORDER BY at`,
    );
    expect(rows).toHaveLength(10);
    expect(rows[0]).toMatchObject({
      decision: 'allowed',
      outcome: 'executed',
      status: 200,
      path: '/v1/invoices/42',
      attempts: '1',
    });
    expect(rows[4]).toMatchObject({ decision: 'denied', outcome: 'refused', status: 401, attempts: null });
  });

  it('goes on where the last shipper stopped, over starts of the gateway', async () => {
    for (const requests of [3, 4, 5]) {
      const shipper = shipperOf();
      const journal = await journalOf(shipper);
      shipper.start(journal);
      await (await governed(journal, requests)).gateway.close();
      await journal.close();
      await shipper.close();
      expect(shipper.status().duplicates).toBe(0);
    }
    const written = await entriesOf(await openJournalReader(directory));
    expect((await stored()).map(({ line }) => line).sort()).toEqual(written.map(({ line }) => line).sort());
    const report = await verifyChains({ chains: reader().chains(), localHeads: await reader().heads() });
    expect([report.failure, report.chains, report.records, report.uncovered]).toEqual([
      undefined,
      3,
      written.length,
      0,
    ]);
  });

  it('rests after a batch while requests come first, and no longer when it is to end', async () => {
    const time = new Date().toISOString(); // old evidence does not rest
    const entries = Array.from({ length: 100 }, (_, index) => entry(index + 1, { time }));
    const shipper = shipperOf({ sharePercent: 1, batchEntries: 1 });
    shipper.start(sourceOf(entries));
    await until('it has begun', () => shipper.status().shipped > 0);
    expect(shipper.status().shipped).toBeLessThan(100);
    await shipper.close({ timeoutMs: 25_000 });
    expect(shipper.status().shipped).toBe(100);
    expect(await stored()).toHaveLength(100);
  });

  it('is there once, however often it is sent', async () => {
    const journal = await journalOf();
    await (await governed(journal, 10)).gateway.close();
    await journal.close();
    const source = await openJournalReader(directory);
    for (const name of ['one', 'another']) {
      const shipper = shipperOf({ journal: name, batchEntries: 4 });
      shipper.start(source);
      const { length } = await entriesOf(source);
      await until('shipped', () => shipper.status().shipped === length);
      expect(shipper.status().duplicates).toBe(name === 'one' ? 0 : length);
      await shipper.close();
    }
    expect(await stored()).toHaveLength((await entriesOf(source)).length);
    expect(await setAside()).toEqual([]);
  });

  describe('over a connection that is cut', () => {
    let proxy: CuttingProxy;
    let pool: pg.Pool;

    beforeEach(async () => {
      const url = new URL(
        (shipperPool as unknown as { options: { connectionString: string } }).options.connectionString,
      );
      proxy = await cuttingProxy(Number(url.port));
      url.port = String(proxy.port);
      url.hostname = '127.0.0.1';
      pool = quietPool(url.href);
    });
    afterEach(async () => {
      await Promise.all([pool.end(), proxy.close()]);
    });

    it('right after the commit is not there twice', async () => {
      const shipper = shipperOf({ pool, batchEntries: 5 });
      proxy.cutAfterCommit();
      const entries = Array.from({ length: 25 }, (_, index) => entry(index + 1));
      shipper.start(sourceOf(entries));
      await until('everything is stored', () => shipper.status().shipped === 25);
      expect(proxy.commitsCut).toBe(1);
      expect(shipper.status().duplicates).toBe(5);
      expect((await stored()).map(({ seq }) => seq)).toEqual(entries.map(({ seq }) => seq));
      expect(warnings.map(({ code }) => code)).toEqual(['unavailable', 'recovered']);
      await shipper.close();
    });

    it('and comes back to a server that lacks what it had stored: the journal has all of it', async () => {
      const shipper = shipperOf({ pool });
      const journal = await journalOf();
      shipper.start(journal);
      const world = await governed(journal, 10);
      await until('some of it is stored', () => shipper.status().shipped > 10);
      proxy.cut();
      await send(world, 5);
      await until('it is noticed', () => shipper.status().state === 'retrying');
      await database.pool.query(
        `SET session_replication_role = 'replica';
         TRUNCATE caracal.audit_entries, caracal.audit_chains, caracal.audit_positions, caracal.audit_heads;
         RESET session_replication_role`,
      );
      proxy.restore();
      await world.gateway.close();
      await journal.close();
      await shipper.close({ timeoutMs: 20_000 });
      const written = await entriesOf(await openJournalReader(directory));
      expect((await stored()).map(({ line }) => line)).toEqual(written.map(({ line }) => line));
      expect(warnings.map(({ code }) => code)).toContain('set_back');
      expect((await verifyChains({ chains: reader().chains() })).failure).toBeUndefined();
    });

    it('that swallows everything waits no longer than its deadline', async () => {
      const shipper = shipperOf({ pool, timeoutMs: 300 });
      proxy.swallow();
      shipper.start(sourceOf([entry(1)]));
      await until('it was noticed', () => shipper.status().state === 'retrying');
      expect(shipper.status().fault).toMatch(/timeout|unreachable/);
      proxy.restore();
      await until('it is stored', () => shipper.status().shipped === 1);
      await shipper.close();
    });
  });
});

describe('an entry that PostgreSQL would refuse', () => {
  it('with U+0000, lone surrogates or a megabyte in it is stored with all others', async () => {
    const hostile = [
      entry(1, { subject: 'a\0b', applicationId: '\0', zoneId: '\ud800', resource: 'x\udfff' }),
      entry(2, {
        subject: 's'.repeat(1_000_000),
        applicationId: '\u{1f511}'.repeat(4000),
        resource: 'r'.repeat(100_000),
      }),
      entry(3, { requestId: 'no uuid', id: 'no uuid either', status: 1e300, path: '\\ " \u0001 \u202e' }),
      entry(4, { subject: "'; DROP TABLE caracal.audit_entries; --", jti: '{"a"}', error: 'NULL' as never }),
    ];
    await ship([...hostile, ...Array.from({ length: 50 }, (_, index) => entry(index + 5))]);
    const rows = await stored();
    expect(rows).toHaveLength(54);
    expect(rows.slice(0, 4).map(({ line }) => line)).toEqual(hostile.map(({ line }) => line));
    expect(await setAside()).toEqual([]);
    expect(await collected(reader().query({ application: 'a\0' }))).toEqual([]);
    expect((await reader().trace('no uuid')).records).toHaveLength(1);
    await database.pool.query('SELECT subject, began, ended FROM caracal.audit_requests');
  });

  it('is set aside as it stands, and nothing else with it', async () => {
    await database.pool.query(`ALTER TABLE caracal.audit_entries ADD CHECK (subject <> 'poison')`);
    const poison = [
      { ...entry(1), seq: 1e300 },
      entry(7, {}, 'two\nlines'),
      entry(8, {}, 'with \0 in it'),
      entry(21, { id: 'fffffff0-0000-7000-8000-000000000000' }),
      entry(33, { time: 'never', id: 'x' }),
      entry(44, { subject: 'poison' }),
      entry(45, { subject: 'poison' }),
    ];
    const places = [1, 7, 8, 21, 33, 44, 45];
    const entries = Array.from({ length: 60 }, (_, index) => poison[places.indexOf(index + 1)] ?? entry(index + 1));
    await ship(entries, { batchEntries: 40 });
    expect(await stored()).toHaveLength(53);
    const lineOf = ({ line }: SourceEntry) => line;
    expect((await setAside()).map(({ bytes }) => bytes.toString())).toEqual(poison.map(lineOf));
    expect((await setAside()).map(({ detail }) => detail)).toEqual([
      ...['damaged', 'damaged', 'damaged', '22009', 'damaged', '23514', '23514'],
    ]);
    expect(warnings.map(({ code }) => code)).toContain('set_aside');
  });

  it('has an identifier that another one has: both are kept, and it is told', async () => {
    await ship([entry(1), entry(2), entry(3, { id: entry(1).record.id }), entry(4)]);
    expect((await stored()).map(({ seq }) => seq)).toEqual([1, 2, 4]);
    expect((await setAside()).map(({ seq, reason }) => [seq, reason])).toEqual([[3, 'conflict']]);
    expect((await collected((await collected(reader().chains()))[0]!.lines)).length).toBe(4);
  });

  it('is a line of a damaged journal: its bytes are kept, and what follows is shipped', async () => {
    const journal = await journalOf();
    await (await governed(journal, 10)).gateway.close();
    await journal.close();
    const [segment] = (await readdir(directory)).filter((name) => /^\d+\.ndjson$/.test(name));
    const path = join(directory, segment!);
    const lines = (await readFile(path, 'utf8')).split('\n');
    const damaged = `${lines[4]!.slice(0, 50)}\u0000${lines[4]!.slice(51, 80)}`;
    lines[4] = damaged;
    await writeFile(path, lines.join('\n'));
    const shipper = shipperOf();
    shipper.start(await openJournalReader(directory));
    await until('the rest is there', () => shipper.status().shipped === lines.length - 2);
    await shipper.close();
    expect((await setAside()).map(({ bytes }) => bytes.toString())).toEqual([damaged]);
  });
});

describe('evidence in PostgreSQL', () => {
  async function shipped(requests: number): Promise<{ journal: Journal; publicKey: string }> {
    const shipper = shipperOf();
    const journal = await journalOf(shipper);
    shipper.start(journal);
    await (await governed(journal, requests)).gateway.close();
    await journal.close();
    await shipper.close();
    return { journal, publicKey: journal.publicKey };
  }
  const verified = async (publicKey?: string) =>
    verifyChains({ chains: reader().chains(), localHeads: await reader().heads(), ...(publicKey && { publicKey }) });
  const asOwner = async (text: string, values: unknown[] = []) => {
    const client = await database.pool.connect();
    await client.query(`SET session_replication_role = 'replica'`); // an owner can turn triggers off
    await client.query(text, values).finally(() => client.release(true));
  };

  it.each([
    [
      'a changed line',
      `UPDATE caracal.audit_entries SET line = replace(line, 'gateway', 'gatewai') WHERE seq = 4`,
      'wrong_hash',
      4,
    ],
    ['a removed line', 'DELETE FROM caracal.audit_entries WHERE seq = 5', 'wrong_seq', 5],
    ['the last lines cut off', 'DELETE FROM caracal.audit_entries WHERE seq > 8', 'records_cut', 9],
    [
      'a line added',
      `INSERT INTO caracal.audit_entries (at, id, chain, seq, type, time, line) SELECT at, gen_random_uuid(), chain, seq, type, time, line FROM caracal.audit_entries WHERE seq = 3`,
      'wrong_seq',
      4,
    ],
    ['a whole chain removed', 'DELETE FROM caracal.audit_entries', 'records_cut', 1],
    [
      'a chain removed with its row',
      'WITH gone AS (DELETE FROM caracal.audit_entries) DELETE FROM caracal.audit_chains',
      'chain_missing',
      1,
    ],
  ])('shows %s', async (_what, text, reason, seq) => {
    const { publicKey } = await shipped(10);
    expect((await verified(publicKey)).ok).toBe(true);
    await asOwner(text);
    expect((await verified(publicKey)).failure).toMatchObject({ reason, seq });
  });

  it('shows a chain that was taken out between others', async () => {
    await shipped(3);
    await shipped(3);
    await shipped(3);
    const second = (await collected(reader().chains()))[1]!.chain;
    await asOwner(`DELETE FROM caracal.audit_entries WHERE chain = $1`, [second]);
    await asOwner(`DELETE FROM caracal.audit_chains WHERE chain = $1`, [second]);
    await asOwner(`DELETE FROM caracal.audit_heads WHERE chain = $1`, [second]);
    expect((await verified()).failure?.reason).toBe('chain_missing');
  });

  it('tells an end that will never come from one that is on its way', async () => {
    const journal = await journalOf();
    const bootId = randomUUID();
    const request = (id: number, type: AuditRecord['type']): AuditRecord => ({
      id: `0199f0a0-0000-7000-8000-${String(id).padStart(12, '0')}`,
      type,
      time: '2025-10-17T00:00:00.000Z',
      bootId,
      gatewayId: 'g',
      requestId: '0199f0a0-0000-7000-9000-000000000001',
      jti: 'j-1',
      issuer: 'https://issuer.example',
      decision: 'allowed',
    });
    const shipper = shipperOf();
    shipper.start(journal);
    await journal.append({ ...request(1, 'mandate.issued'), requestId: undefined }, 'written');
    await journal.append(request(2, 'request.authorized'), 'written');
    await until('it is there', () => shipper.status().shipped === 3);
    const open = await reader().trace('0199f0a0-0000-7000-9000-000000000001');
    expect([open.outcome, open.records.length, open.issue?.record.jti]).toEqual([undefined, 1, 'j-1']);
    await journal.append({ ...request(3, 'gateway.stopped'), requestId: undefined }, 'written');
    await until('it is there', () => shipper.status().shipped === 4);
    expect((await reader().trace('0199f0a0-0000-7000-9000-000000000001')).outcome).toBe('unknown');
  });

  it('finds the end of a request whose beginning another shipper has brought', async () => {
    const both = [
      entry(1, {
        type: 'request.authorized',
        requestId: 'r',
        zoneId: 'z',
        applicationId: 'a',
        resource: 'x',
        decision: 'allowed',
      }),
      entry(2, { type: 'request.completed', requestId: 'r', outcome: 'executed', decision: 'allowed' }),
    ];
    await ship(both.slice(0, 1), { journal: 'first' });
    await ship(both.slice(1), { journal: 'second' });
    for (const filter of [
      { application: 'a' },
      { zone: 'z', resource: 'x' },
      { application: 'a', outcome: 'executed' as const },
    ]) {
      const found = await collected(reader().query(filter));
      expect(found.at(-1)?.record.type, JSON.stringify(filter)).toBe('request.completed');
    }
    expect(await collected(reader().query({ application: 'b' }))).toEqual([]);
  });

  it('is found by whose it is, and by a type that is rare, without reading the rest', async () => {
    await database.pool.query(`SELECT caracal.ensure_audit_months(now())`);
    await database.pool.query(
      `INSERT INTO caracal.audit_entries (at, id, chain, seq, type, time, zone_id, subject, line)
       SELECT now() + n * interval '1 microsecond', gen_random_uuid(), $1, n,
         CASE WHEN n % 1000 = 0 THEN 'connection.invited' ELSE 'request.authorized' END, now(), 'default', 's-' || n % 2000,
         '{"seq":' || n || ',"type":"x","hash":"' || repeat('0', 64) || '"}'
       FROM generate_series(1, 20000) AS n`,
      [CHAIN],
    );
    await database.pool.query('ANALYZE caracal.audit_entries');
    const asked: [string, unknown[]][] = [];
    const watched = {
      connect: async () => {
        const client = await database.pool.connect();
        const query = client.query.bind(client) as (text: string, values: unknown[]) => Promise<pg.QueryResult>;
        return Object.assign(Object.create(client) as typeof client, {
          query: (text: string, values: unknown[]) => {
            asked.push([text, values]);
            return query(text, values);
          },
        });
      },
    };
    const plans: [AuditFilter, string, number][] = [
      [{ subject: 's-7' }, 'subject_at_id_idx', 10],
      [{ type: 'connection.invited' }, 'type_at_id_idx', 20],
    ];
    for (const [filter, index, wanted] of plans) {
      asked.length = 0;
      const found = await collected(postgresAuditReader({ pool: watched as never }).query(filter));
      expect(found, JSON.stringify(filter)).toHaveLength(wanted);
      const [[text, values] = ['', []]] = asked;
      const { rows } = await database.pool.query(`EXPLAIN ${text}`, values);
      expect(JSON.stringify(rows)).toContain(index);
    }
  }, 60_000);

  it('reads page by page, each record once', async () => {
    await ship(Array.from({ length: 1203 }, (_, index) => entry(index + 1)));
    expect((await collected(reader().query())).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 1203 }, (_, index) => index + 1),
    );
    expect(await collected(reader().query({ limit: 1001 }))).toHaveLength(1001);
  });

  it('is dropped by whole months, with a record, and what is left still verifies', async () => {
    const { journal, publicKey } = await shipped(12);
    const written = await entriesOf(await openJournalReader(directory));
    // As if it had been written over the turn of a month, out of order there.
    const months = (seq: number) => (seq <= 8 || seq === 10 ? '2025-01' : '2025-02');
    await database.pool.query(`SELECT caracal.ensure_audit_months('2025-01-01Z')`);
    for (const { seq } of written) {
      await asOwner(`UPDATE caracal.audit_entries SET at = $1::timestamptz + (seq * interval '1 s') WHERE seq = $2`, [
        `${months(seq)}-15Z`,
        seq,
      ]);
    }
    expect((await verified(publicKey)).ok).toBe(true);
    const dropped = await applyAuditRetention(database.pool, { retentionDays: 30, now: Date.UTC(2025, 2, 10) });
    expect(dropped).toEqual([{ month: '2025-01', entries: 9, keptAside: 1 }]);
    expect(await stored()).toHaveLength(written.length - 9);
    const report = await verified(publicKey);
    expect([report.failure, report.records, report.removedThrough?.seq]).toEqual([undefined, written.length - 8, 8]);
    expect((await database.pool.query('SELECT entries::int AS entries FROM caracal.audit_retention')).rows).toEqual([
      { entries: 9 },
    ]);
    // It all may go, and the chain that follows still verifies.
    await applyAuditRetention(database.pool, { retentionDays: 30, now: Date.UTC(2025, 5, 10) });
    await shipped(2);
    expect((await verified(publicKey)).failure).toBeUndefined();
    await database.pool.query(`SELECT caracal.ensure_audit_months('2025-01-01Z')`);
    await expect(applyAuditRetention(shipperPool, { retentionDays: 1 })).rejects.toMatchObject({
      code: 'not_permitted',
    });
    expect(journal.chain).toBeDefined();
  });
});

describe('a shipper', () => {
  it('tells that the database has no schema, and begins when it has one', async () => {
    const empty = await testDatabase({ migrated: false });
    try {
      const shipper = shipperOf({ pool: empty.pool });
      shipper.start(sourceOf([entry(1)]));
      await until('it is told', () => shipper.status().fault === 'schema_missing');
      await migrate(empty.pool);
      await until('it is stored', () => shipper.status().shipped === 1);
      await shipper.close();
      expect(warnings.map(({ message }) => message).join()).toContain('caracal migrate');
    } finally {
      await empty.drop();
    }
  });

  it('tells of entries that were gone before it came', async () => {
    await ship([entry(1), entry(2), entry(9)]);
    expect(warnings.map(({ code }) => code)).toEqual(['gap']);
  });

  it('ends in time where PostgreSQL does not answer', async () => {
    const pool = quietPool('postgres://nobody:x@127.0.0.1:1/none');
    const shipper = shipperOf({ pool });
    const journal = await journalOf();
    shipper.start(journal);
    await until('it is told', () => shipper.status().state === 'retrying');
    await shipper.close({ timeoutMs: 50 });
    expect(shipper.status().state).toBe('stopped');
    await pool.end();
  });

  it('refuses options that are not in order', () => {
    expect(() => postgresAuditShipper({ pool: shipperPool, journal: '' })).toThrow(/journal is a text/);
    expect(() => postgresAuditShipper({ pool: {} as never, journal: 'a' })).toThrow(/pool is a pool/);
    expect(() => postgresAuditShipper({ pool: shipperPool, journal: 'a', batchsize: 1 } as never)).toThrow(
      /unknown option/,
    );
    for (const sharePercent of [0, 101, 0.5]) {
      expect(() => postgresAuditShipper({ pool: shipperPool, journal: 'a', sharePercent })).toThrow(/sharePercent is/);
    }
  });
});
