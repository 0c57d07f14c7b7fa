import { isResourceIdentifier } from '@caracal/core';
import { Connections } from '../connection.js';
import type { PostgresPool } from '../pool.js';

/** Which row. */
export interface ResourceKey {
  readonly zone: string;
  readonly identifier: string;
}

/** A row of the table, as it is. */
export interface ResourceEntry extends ResourceKey {
  readonly document: unknown;
  readonly changedAt: Date;
}

const TIMEOUT_MS = 10_000;

/**
 * Writes a resource; every gateway that follows the table reads it at once. The document is not judged here.
 *
 * @throws TypeError for an identifier or a document that is none. PostgresError.
 */
export async function putResource(
  pool: PostgresPool,
  { zone, identifier, document }: ResourceKey & { readonly document: object },
): Promise<void> {
  if (!isResourceIdentifier(identifier)) throw new TypeError('putResource: identifier is an absolute URI');
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new TypeError('putResource: document is an object');
  }
  await new Connections(pool).query(
    TIMEOUT_MS,
    `INSERT INTO caracal.resources (zone, identifier, document) VALUES ($1, $2, $3)
     ON CONFLICT (zone, identifier) DO UPDATE SET document = excluded.document, changed_at = now()`,
    [zone, identifier, JSON.stringify(document)],
  );
}

/** Removes a resource. Whether it was there. @throws PostgresError */
export async function removeResource(pool: PostgresPool, { zone, identifier }: ResourceKey): Promise<boolean> {
  const text = 'DELETE FROM caracal.resources WHERE zone = $1 AND identifier = $2';
  return (await new Connections(pool).query(TIMEOUT_MS, text, [zone, identifier])).rowCount === 1;
}

/** Every row, in order or not. @throws PostgresError */
export async function listResources(pool: PostgresPool): Promise<readonly ResourceEntry[]> {
  const text = 'SELECT zone, identifier, document, changed_at AS "changedAt" FROM caracal.resources ORDER BY 1, 2';
  return (await new Connections(pool).query(TIMEOUT_MS, text)).rows;
}
