import { hash, randomUUID } from 'node:crypto';
import {
  type Connection,
  type ConnectionChange,
  type ConnectionContent,
  type ConnectionKey,
  evidenceText,
  type ListedConnections,
  refuseUnknownOptions,
  wholeNumber,
} from '@caracal/core';
import { Connections } from '../connection.js';
import type { PostgresPool } from '../pool.js';
import { PostgresError } from '../postgres-error.js';
import { columnsOf, keyOf, partsOf } from './key-columns.js';

/** Options of {@link postgresConnectionStore}. */
export interface PostgresConnectionStoreOptions {
  /** A pool whose role has the gateway's grants. */
  readonly pool: PostgresPool;
  /** Deadline of one operation, ms. Default 2,000. */
  readonly timeoutMs?: number;
}

/** Default of `timeoutMs`. */
export const POSTGRES_CONNECTIONS_TIMEOUT_MS = 2000;
/** Rows that `keys()` reads at once. */
const PAGE_ROWS = 200;

const GET = 'SELECT version, content, zone IS NULL AS unnamed FROM caracal.connections WHERE key = $1';
const INSERT = `INSERT INTO caracal.connections (key, label, zone, provider, issuer, subject, version, content)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key) DO NOTHING`;
const UPDATE = `UPDATE caracal.connections SET label = $2, zone = $3, provider = $4, issuer = $5, subject = $6, version = $7,
  content = $8, changed_at = now() WHERE key = $1 AND version = $9`;
const NAME = `UPDATE caracal.connections SET zone = $2, provider = $3, issuer = $4, subject = $5
  WHERE key = $1 AND zone IS NULL`;
const REMOVE = 'DELETE FROM caracal.connections WHERE key = $1 AND version = $2';
const PAGE = `SELECT key, zone, provider, issuer, subject FROM caracal.connections
  WHERE key > $1 AND zone IS NOT NULL ORDER BY key LIMIT ${PAGE_ROWS}`;

/**
 * Connections shared by every gateway. Changes compare and set in one statement each, so that exactly one of any number of
 * processes wins. What PostgreSQL does not answer in time throws; such a `put` may have been written, and a later one with
 * the same `expected` is then a `conflict`: read again.
 *
 * `keys()` reads page by page. Rows that a release before this one wrote may be missing in it until they are next read or changed.
 *
 * @throws TypeError for options that are not in order. Operations throw PostgresError.
 */
export function postgresConnectionStore(options: PostgresConnectionStoreOptions): ListedConnections {
  refuseUnknownOptions('postgresConnectionStore', options, ['pool', 'timeoutMs']);
  const { pool, timeoutMs = POSTGRES_CONNECTIONS_TIMEOUT_MS } = options;
  wholeNumber('postgresConnectionStore', 'timeoutMs', timeoutMs);
  const connections = new Connections(pool);

  async function get(key: ConnectionKey): Promise<Connection | undefined> {
    const { rows } = await connections.query(timeoutMs, GET, [digestOf(key)]);
    const [row] = rows;
    // Of a release before; whoever asks need not wait for that.
    if (row?.unnamed) void name(key);
    return row && connectionOf(row.version, JSON.parse(row.content));
  }

  async function name(key: ConnectionKey): Promise<void> {
    try {
      await connections.query(timeoutMs, NAME, [digestOf(key), ...columnsOf(key)]);
    } catch {
      // The next to read it tries again.
    }
  }

  async function put(
    key: ConnectionKey,
    expected: string | undefined,
    { id, sealed }: ConnectionContent,
  ): Promise<ConnectionChange> {
    // Made here, so that it can be told afterwards whether what is stored is ours.
    const version = randomUUID();
    // JSON escapes what no text of PostgreSQL holds: U+0000 and lone surrogates.
    const values = [digestOf(key), labelOf(key), ...columnsOf(key), version, JSON.stringify({ id, sealed })];
    if (expected !== undefined) values.push(storable(expected));
    const connection = connectionOf(version, { id, sealed });
    try {
      const { rowCount } = await connections.query(timeoutMs, expected === undefined ? INSERT : UPDATE, values);
      return rowCount === 1 ? { connection } : 'conflict';
    } catch (cause) {
      // A connection that broke right after the commit: a refresh token that is stored must not look lost.
      if (cause instanceof PostgresError && cause.code === 'unreachable' && (await isStored(key, version))) {
        return { connection };
      }
      throw cause;
    }
  }

  async function isStored(key: ConnectionKey, version: string): Promise<boolean> {
    try {
      return (await get(key))?.version === version;
    } catch {
      return false; // the first failure is what is told
    }
  }

  async function remove(key: ConnectionKey, expected: string): Promise<boolean> {
    const { rowCount } = await connections.query(timeoutMs, REMOVE, [digestOf(key), storable(expected)]);
    return rowCount === 1;
  }

  async function* keys(): AsyncGenerator<ConnectionKey> {
    let after: Buffer = Buffer.alloc(0);
    for (;;) {
      const { rows } = await connections.query(timeoutMs, PAGE, [after]);
      for (const row of rows) yield keyOf(row);
      if (rows.length < PAGE_ROWS) return;
      after = rows.at(-1).key;
    }
  }

  return Object.freeze({ get, put, remove, keys });
}

function connectionOf(version: string, { id, sealed }: ConnectionContent): Connection {
  return Object.freeze({ id, sealed, version });
}

// No version of ours holds what PostgreSQL refuses: such a one agrees with none.
function storable(version: string): string {
  return version.includes('\0') || !version.isWellFormed() ? '' : version;
}

// JSON keeps the parts apart, whatever they hold, and has two parts more for a subject's own than for the shared one.
function digestOf(key: ConnectionKey): Buffer {
  return hash('sha256', JSON.stringify(partsOf(key)), 'buffer');
}

function labelOf(key: ConnectionKey): string {
  return evidenceText(partsOf(key).join(' '));
}
