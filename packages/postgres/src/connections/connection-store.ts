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

/** Options of {@link postgresConnectionStore}. */
export interface PostgresConnectionStoreOptions {
  /** A pool whose role has the gateway's grants. */
  readonly pool: PostgresPool;
  /** Deadline of one operation, ms. Default 2,000. */
  readonly timeoutMs?: number;
}

/** Default of `timeoutMs`. */
export const POSTGRES_CONNECTIONS_TIMEOUT_MS = 2000;

const GET = 'SELECT version, content FROM caracal.connections WHERE key = $1';
const INSERT = `INSERT INTO caracal.connections (key, label, version, content) VALUES ($1, $2, $3, $4)
  ON CONFLICT (key) DO NOTHING`;
const UPDATE = `UPDATE caracal.connections SET label = $2, version = $3, content = $4, changed_at = now()
  WHERE key = $1 AND version = $5`;
// A page at a time, so that nobody waits and no transaction stays open while the reader is slow.
const LIST = 'SELECT key, content FROM caracal.connections WHERE key > $1 ORDER BY key LIMIT 200';
const REMOVE = 'DELETE FROM caracal.connections WHERE key = $1 AND version = $2';

/**
 * Connections shared by every gateway. Changes compare and set in one statement each, so that exactly one of any number of
 * processes wins. What PostgreSQL does not answer in time throws; such a `put` may have been written, and a later one with
 * the same `expected` is then a `conflict`: read again. `keys` reads a page at a time; each page has the deadline.
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
    return row && connectionOf(row.version, JSON.parse(row.content));
  }

  async function put(
    key: ConnectionKey,
    expected: string | undefined,
    { id, sealed }: ConnectionContent,
  ): Promise<ConnectionChange> {
    // Made here, so that it can be told afterwards whether what is stored is ours.
    const version = randomUUID();
    // JSON escapes what no text of PostgreSQL holds: U+0000 and lone surrogates.
    const values = [digestOf(key), labelOf(key), version, JSON.stringify({ id, sealed, of: partsOf(key) })];
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
    let after = Buffer.alloc(0);
    for (;;) {
      const { rows } = await connections.query(timeoutMs, LIST, [after]);
      const last = rows.at(-1);
      if (last === undefined) return;
      for (const { content } of rows) {
        const { of } = JSON.parse(content);
        // Rows of releases before this one do not tell whose they are until they change.
        if (Array.isArray(of)) yield keyOf(of);
      }
      after = last.key;
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

function keyOf([zoneId = '', providerId = '', issuer, subject]: readonly string[]): ConnectionKey {
  const owner = issuer === undefined || subject === undefined ? 'shared' : { issuer, subject };
  return { zoneId, providerId, owner };
}

function partsOf({ zoneId, providerId, owner }: ConnectionKey): string[] {
  return owner === 'shared' ? [zoneId, providerId] : [zoneId, providerId, owner.issuer, owner.subject];
}
