import { randomBytes } from 'node:crypto';
import { migrate } from '@caracal/postgres';
import pg from 'pg';
import { inject } from 'vitest';
import { postgresUrl } from './postgres-server.mjs';
import { sharedPostgres } from './shared-postgres.js';

/** A database of a test file's own, on the server that the whole run shares. */
export interface TestDatabase {
  /** As its owner. */
  readonly pool: pg.Pool;
  readonly url: string;
  /** A pool of the same database as a role of that name, which is made without any right. */
  as(role: string): Promise<pg.Pool>;
  /** Drops the database and its roles. */
  drop(): Promise<void>;
}

/** Makes a database. With `DATABASE_URL`, on the server that names (as a superuser); else on one from npm. */
export async function testDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const serverUrl = process.env.DATABASE_URL ?? postgresUrl(await sharedPostgres(inject('serversHome')));
  const name = `caracal_test_${randomBytes(6).toString('hex')}`;
  await asAdministrator(serverUrl, `CREATE DATABASE ${name} ENCODING 'UTF8' TEMPLATE template0`);
  const url = withDatabase(serverUrl, name);
  const pools = [quietPool(url)];
  const roles: string[] = [];
  const [pool] = pools as [pg.Pool];
  if (migrated) await migrate(pool);
  return {
    pool,
    url,
    as: async (role) => {
      const password = randomBytes(8).toString('hex');
      const own = `${name}_${role}`;
      roles.push(own);
      await pool.query(`CREATE ROLE ${own} LOGIN PASSWORD '${password}'`);
      const roleUrl = new URL(url);
      roleUrl.username = own;
      roleUrl.password = password;
      const rolePool = quietPool(roleUrl.href);
      pools.push(rolePool);
      return rolePool;
    },
    drop: async () => {
      for (const each of pools) if (!each.ended) await each.end();
      await asAdministrator(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`);
      for (const role of roles) await asAdministrator(serverUrl, `DROP ROLE ${role}`);
    },
  };
}

/** The name of the role of a pool made by {@link TestDatabase.as}. */
export async function roleOf(pool: pg.Pool): Promise<string> {
  return (await pool.query('SELECT current_user AS name')).rows[0].name;
}

/** A pool that does not end the process when the server goes away. */
export function quietPool(url: string, options: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 10_000, max: 8, ...options });
  pool.on('error', () => {});
  return pool;
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function asAdministrator(serverUrl: string, text: string): Promise<void> {
  const client = new pg.Client(serverUrl);
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
