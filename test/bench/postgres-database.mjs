import { migrate } from '@caracal/postgres';
import pg from 'pg';
import { postgresUrl, startPostgres, stopPostgres } from '../servers/postgres-server.mjs';

/** A PostgreSQL from npm that keeps what a power cut would keep, with the tables of Caracal: `{ url, stop() }`. */
export async function benchPostgres() {
  const server = await startPostgres({ durable: true, settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
  const pool = new pg.Pool({ connectionString: postgresUrl(server) });
  try {
    await migrate(pool);
  } catch (cause) {
    await stopPostgres(server);
    throw cause;
  } finally {
    await pool.end();
  }
  return { url: postgresUrl(server), stop: () => stopPostgres(server) };
}
