import { migrate, postgresConnectionStore } from '@caracal/postgres';
import { sharedConnectionStoreCases } from '@caracal/testkit';
import type pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
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
import { sharedSuite } from './port-suite.js';

/** Above what a durable write takes on a machine that is busy with the other suites. */
const DEADLINE_MS = 2_000;
const missing = postgresMissing();

// A server of its own, because it goes away. What it has acknowledged is on the disk.
describe.skipIf(missing !== undefined)(`PostgreSQL ${missing ?? ''}`, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  let owner: pg.Pool;

  beforeAll(async () => {
    server = await startPostgres({ durable: true });
    owner = quietPool(postgresUrl(server));
    await migrate(owner);
  }, 120_000);
  afterAll(async () => {
    await owner?.end();
    await stopPostgres(server);
  });

  const outages = {
    'is shut down': { begin: () => pausePostgres(server, 'fast'), end: () => resumePostgres(server) },
    crashes: { begin: () => pausePostgres(server, 'immediate'), end: () => resumePostgres(server) },
    'stands still': {
      begin: () => signalPostgres(server, 'SIGSTOP'),
      end: () => signalPostgres(server, 'SIGCONT'),
    },
  };

  describe.each(Object.keys(outages) as (keyof typeof outages)[])('where the server %s', (outage) => {
    sharedSuite('postgresConnectionStore', sharedConnectionStoreCases, async () => {
      const pools: pg.Pool[] = [];
      await owner.query('TRUNCATE caracal.connections');
      return {
        open: async () => {
          const pool = quietPool(postgresUrl(server), { connectionTimeoutMillis: DEADLINE_MS });
          pools.push(pool);
          return postgresConnectionStore({ pool, timeoutMs: DEADLINE_MS });
        },
        now: Date.now,
        deadlineMs: DEADLINE_MS,
        outage: outages[outage],
        close: async () => {
          for (const pool of pools) await pool.end();
        },
      };
    });
  });
});
