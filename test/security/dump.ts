import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type pg from 'pg';

/** Every file below a directory, names and bytes (latin1). */
export async function dumpDirectory(directory: string): Promise<string> {
  const parts: string[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    parts.push(path);
    if (entry.isFile()) parts.push(await readFile(path, 'latin1'));
  }
  return parts.join('\n');
}

/** Every key of a Redis with what it holds, streams too. */
export async function dumpRedis(client: Redis): Promise<string> {
  const parts: unknown[] = [];
  for (const key of await client.keys('*')) parts.push(key, await held(client, key));
  return JSON.stringify(parts);
}

async function held(client: Redis, key: string): Promise<unknown> {
  const type = await client.type(key);
  switch (type) {
    case 'string':
      return (await client.getBuffer(key))?.toString('latin1');
    case 'hash':
      return client.hgetall(key);
    case 'set':
      return client.smembers(key);
    case 'zset':
      return client.zrange(key, '0', '-1', 'WITHSCORES');
    case 'list':
      return client.lrange(key, '0', '-1');
    case 'stream':
      return client.xrange(key, '-', '+');
    case 'none':
      return undefined; // expired meanwhile
    default:
      throw new Error(`a key of type ${type} is not searched`);
  }
}

/** Every table of every schema that is not PostgreSQL's own, bytes as text and in hexadecimal, and what connections have asked. */
export async function dumpPostgres(pool: pg.Pool): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const parts: unknown[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<Record<string, unknown>>(`SELECT * FROM ${name}`);
    parts.push(name, ...rows.map((row) => Object.values(row).map(textOf)));
  }
  const { rows: asked } = await pool.query(
    'SELECT query, application_name FROM pg_stat_activity WHERE datname = current_database()',
  );
  return JSON.stringify([...parts, asked]);
}

function textOf(value: unknown): unknown {
  return Buffer.isBuffer(value) ? [value.toString('latin1'), value.toString('hex')] : value;
}
