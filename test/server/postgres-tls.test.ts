import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresError, schemaVersion } from '@caracal/postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresPool } from '../../packages/server/src/state/postgres-pool.js';
import { type TestCertificates, testCertificates } from '../../packages/transport/src/test-certificates.js';
import { postgresUrl, startPostgres, stopPostgres } from '../servers/postgres-server.mjs';
import { serverWorld } from './server.js';

/** The user the server runs as where this process is root. */
const NOBODY = 65_534;

let server: Awaited<ReturnType<typeof startPostgres>>;
let certificates: TestCertificates;
let url: string;

beforeAll(async () => {
  certificates = testCertificates();
  server = await startPostgres();
  url = postgresUrl(server);
  await serve(certificates.addressed);
}, 120_000);
afterAll(async () => {
  if (server !== undefined) await stopPostgres(server);
});

/** From now on the server has this certificate. */
async function serve({ cert, key }: TestCertificates['addressed']): Promise<void> {
  for (const [name, text] of [
    ['server.crt', cert],
    ['server.key', key],
  ] as const) {
    const file = join(server.home, 'data', name);
    await writeFile(file, text, { mode: 0o600 });
    if (process.getuid?.() === 0) await chown(file, NOBODY, NOBODY);
  }
  const client = new pg.Client(url);
  await client.connect();
  await client.query("ALTER SYSTEM SET ssl = 'on'");
  await client.query('SELECT pg_reload_conf()');
  await client.end();
}

/** What came of asking over TLS, with this authority, for this name. */
async function asked(ca: string, serverName?: string): Promise<string> {
  const { pool, plainText } = await openPostgresPool(
    {
      url: { env: 'DATABASE_URL' },
      poolSize: 1,
      tls: { ca: { env: 'CA' }, ...(serverName === undefined ? {} : { serverName }) },
      audit: false,
      connections: false,
      resources: false,
    },
    { environment: { DATABASE_URL: url, CA: ca }, applicationName: 'test', onError: () => {} },
  );
  try {
    expect(plainText).toBe(false);
    await schemaVersion(pool, 30_000);
    const { rows } = await pool.query('SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl');
    return rows[0].version;
  } catch (cause) {
    if (!(cause instanceof PostgresError)) throw cause;
    return `${cause.code} ${cause.sqlState}`;
  } finally {
    await pool.end();
  }
}

// The server takes a new certificate a moment after it was told.
const PATIENT = { timeout: 30_000 };

describe('PostgreSQL over TLS', () => {
  it('is spoken to where the authority is the configured one and the host is its own', async () => {
    await expect.poll(() => asked(certificates.ca), PATIENT).toMatch(/^TLSv1\.[23]$/);
  }, 60_000);

  it('is sent nothing where another authority signed, or none', async () => {
    expect(await asked(testCertificates().ca)).toMatch(/^untrusted (?:SELF_SIGNED|UNABLE_TO)/);
    await serve(certificates.selfSigned);
    await expect.poll(() => asked(certificates.ca, 'upstream.example'), PATIENT).toMatch(/^untrusted DEPTH_ZERO/);
  }, 60_000);

  it('is sent nothing where the certificate is for another host, unless that is the name to verify', async () => {
    await serve(certificates.named);
    await expect.poll(() => asked(certificates.ca), PATIENT).toBe('untrusted ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await asked(certificates.ca, 'upstream.example')).toMatch(/^TLSv1/);
  }, 60_000);

  it('stops no server whose PostgreSQL is not to be trusted: it says so, and keeps its evidence', async () => {
    const world = await serverWorld(
      (usual) => ({ ...usual, stores: { postgres: { url: { env: 'DATABASE_URL' }, tls: { ca: { env: 'CA' } } } } }),
      {},
      { DATABASE_URL: url, CA: certificates.ca },
    );
    try {
      expect((await world.call(await world.mandate())).status).toBe(200);
      const told = world.logged.find(({ event }) => event === 'postgres_unavailable');
      expect(told?.message).toContain('the certificate of PostgreSQL is not to be trusted');
      expect(JSON.stringify(world.logged)).not.toContain(server.password);
    } finally {
      await world.close();
    }
  }, 60_000);
});
