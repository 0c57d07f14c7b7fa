import { hash } from 'node:crypto';
import { AUDIT_SQL } from './audit.sql.js';
import { AUDIT_FILTERS_SQL } from './audit-filters.sql.js';
import { CONNECTION_KEYS_SQL } from './connection-keys.sql.js';
import { CONNECTIONS_SQL } from './connections.sql.js';
import { RESOURCES_SQL } from './resources.sql.js';

/** One step of the schema. Never changed once it was released: what comes later is a step of its own. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** Every step, in order. */
export const MIGRATIONS: readonly Migration[] = Object.freeze([
  { version: 1, name: 'audit', sql: AUDIT_SQL },
  { version: 2, name: 'connections', sql: CONNECTIONS_SQL },
  { version: 3, name: 'resources', sql: RESOURCES_SQL },
  { version: 4, name: 'connection_keys', sql: CONNECTION_KEYS_SQL },
  { version: 5, name: 'audit_filters', sql: AUDIT_FILTERS_SQL },
]);

/** The version this release works with. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

/** Tells a step from another one under its number. */
export function checksumOf({ sql }: Migration): string {
  return hash('sha256', sql, 'hex');
}
