import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openJournal, verifyChains } from '@caracal/file';
import { migrate, type PostgresWarning, postgresAuditReader, postgresAuditShipper } from '@caracal/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeWorld } from '../gateway/fake-world.js';
import { until } from '../postgres/until.js';
import { quietPool } from '../servers/postgres.js';
import {
  pausePostgres,
  postgresMissing,
  postgresUrl,
  resumePostgres,
  signalPostgres,
  startPostgres,
  stopPostgres,
} from '../servers/postgres-server.mjs';

/** `test/soak/postgres.mjs` asks for a minute. */
const AWAY_MS = Number(process.env.CARACAL_POSTGRES_AWAY_MS ?? 1500);
const REPORT = process.env.CARACAL_POSTGRES_REPORT;
const BATCH = 20;
const missing = postgresMissing();

// A server of its own, because it is stopped and killed.
describe.skipIf(missing !== undefined)(`PostgreSQL away under load ${missing ?? ''}`, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;

  beforeAll(async () => {
    // What it has said to be stored has to be there after a crash, though its own default is not to wait for the disk.
    server = await startPostgres({ settings: { fsync: 'on', full_page_writes: 'on' } });
  });
  afterAll(() => stopPostgres(server));

  const waysToGo = {
    'shut down and started again': {
      leave: () => pausePostgres(server, 'fast'),
      come: () => resumePostgres(server),
    },
    'crashed and started again': {
      leave: () => pausePostgres(server, 'immediate'),
      come: () => resumePostgres(server),
    },
    'stopped dead, so that nothing answers': {
      leave: () => signalPostgres(server, 'SIGSTOP'),
      come: () => signalPostgres(server, 'SIGCONT'),
    },
  };

  it.each(Object.keys(waysToGo) as (keyof typeof waysToGo)[])(
    '%s: nothing is lost, nothing refused, and every record is there once after it',
    async (way) => {
      const { leave, come } = waysToGo[way];
      const directory = await mkdtemp(join(tmpdir(), 'caracal-away-'));
      const pool = quietPool(postgresUrl(server), { connectionTimeoutMillis: 1000 });
      const warnings: PostgresWarning[] = [];
      await pool.query('DROP SCHEMA IF EXISTS caracal CASCADE');
      await migrate(pool);
      const shipper = postgresAuditShipper({
        pool,
        journal: 'chaos',
        timeoutMs: 1000,
        maxRetryMs: 250,
        onWarning: (warning) => warnings.push(warning),
      });
      const journal = await openJournal({
        directory,
        segmentBytes: 256 * 1024, // over several segments
        onWarning() {},
        headSink: (head) => shipper.keepHead(head),
      });
      shipper.start(journal);
      const world = await fakeWorld({}, { audit: { sink: journal, durability: 'written' } });
      const mandate = await world.mint();
      const statuses = new Map<number, number>();
      let slowestMs = 0;
      let sending = true;
      const load = (async () => {
        while (sending) {
          const sentAt = performance.now();
          const answers = await Promise.all(Array.from({ length: BATCH }, () => world.send(world.head(mandate))));
          slowestMs = Math.max(slowestMs, performance.now() - sentAt);
          for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
          await pause(5);
        }
      })();
      await until('it ships', () => shipper.status().shipped > 100);
      await leave();
      const before = statuses.get(200) ?? 0;
      await until('it is noticed', () => shipper.status().state === 'retrying');
      await pause(AWAY_MS);
      const meanwhile = (statuses.get(200) ?? 0) - before;
      await come();
      await until('it ships again', () => shipper.status().state === 'shipping');
      sending = false;
      await load;
      await world.gateway.close();
      await journal.close();
      await shipper.close({ timeoutMs: 60_000 });

      const requests = statuses.get(200) ?? 0;
      expect([...statuses.keys()]).toEqual([200]);
      expect(meanwhile).toBeGreaterThan(0);
      const entries: string[] = [];
      for await (const { line } of journal.entries()) entries.push(line);
      const { rows } = await pool.query('SELECT line FROM caracal.audit_entries ORDER BY seq');
      expect(rows.length).toBe(entries.length);
      expect(rows.every(({ line }, index) => line === entries[index])).toBe(true);
      const [pairs] = (
        await pool.query(`SELECT count(*)::int AS n FROM caracal.audit_requests WHERE outcome = 'executed'`)
      ).rows;
      expect(pairs.n).toBe(requests);
      const reader = postgresAuditReader({ pool });
      const report = await verifyChains({
        chains: reader.chains(),
        localHeads: await reader.heads(),
        publicKey: journal.publicKey,
      });
      expect([report.failure, report.uncovered]).toEqual([undefined, 0]);
      expect(warnings.map(({ code }) => code)).toContain('unavailable');
      expect(warnings.at(-1)?.code).toBe('recovered');
      await pool.end();
      await rm(directory, { recursive: true });
      if (REPORT !== undefined) {
        const line = { way, awayMs: AWAY_MS, requests, meanwhile, entries: entries.length, slowestMs };
        await appendFile(REPORT, `${JSON.stringify(line)}\n`);
      }
    },
    120_000 + AWAY_MS,
  );
});
