import { refuseUnknownOptions, wholeNumber } from '@caracal/core';
import { type Connected, Connections } from '../connection.js';
import type { PostgresPool } from '../pool.js';
import { PostgresError } from '../postgres-error.js';
import { GRANTS_SQL } from './grants.sql.js';
import { checksumOf, MIGRATIONS, type Migration, SCHEMA_VERSION } from './migrations.js';

/** Options of {@link migrate}. */
export interface MigrateOptions {
  /** Roles (which exist) that get what their part needs, and nothing more. */
  readonly grants?: {
    /** Adds evidence; cannot read, change or remove it. */
    readonly shipper?: string;
    /** Reads evidence. */
    readonly reader?: string;
    /** Connections, and reading the resource directory. */
    readonly gateway?: string;
  };
  /** For the whole of it, waiting for another migration included. Default 60,000. */
  readonly timeoutMs?: number;
}

/** What {@link migrate} has done. */
export interface MigrationReport {
  /** Version before; 0 for an empty database. */
  readonly from: number;
  readonly to: number;
  readonly applied: readonly { readonly version: number; readonly name: string }[];
}

/** Default of `timeoutMs`. */
export const MIGRATE_TIMEOUT_MS = 60_000;
/** Months of audit that are made beforehand, beside this one. */
const MONTHS_AHEAD = 3;
const PARTS = ['shipper', 'reader', 'gateway'] as const;

/**
 * Brings a database to this release's schema, in one transaction, and makes the audit's next months. Run it as the role
 * that is to own the tables, at every release and as often as you like; a second one at the same time waits.
 *
 * @throws PostgresError: `schema_newer`, `schema_changed`, or what failed. Nothing was changed then.
 * @throws TypeError for options that are not in order.
 */
export async function migrate(pool: PostgresPool, options: MigrateOptions = {}): Promise<MigrationReport> {
  refuseUnknownOptions('migrate', options, ['grants', 'timeoutMs']);
  const { grants = {}, timeoutMs = MIGRATE_TIMEOUT_MS } = options;
  refuseUnknownOptions('migrate: grants', grants, PARTS);
  wholeNumber('migrate', 'timeoutMs', timeoutMs);
  return await new Connections(pool).transaction(timeoutMs, async (connected) => {
    await connected.query(`SELECT pg_advisory_xact_lock(hashtext('caracal.migrate'))`);
    await requireUtf8(connected);
    const from = await appliedVersion(connected);
    const applied = MIGRATIONS.slice(from);
    for (const migration of applied) await apply(connected, migration);
    await connected.query(
      `SELECT caracal.ensure_audit_months(now() + make_interval(months => n)) FROM generate_series(0, $1::int) AS n`,
      [MONTHS_AHEAD - 1],
    );
    for (const part of PARTS) {
      const role = grants[part];
      if (role !== undefined) await connected.query(grantStatements(part, role));
    }
    return { from, to: SCHEMA_VERSION, applied: applied.map(({ version, name }) => ({ version, name })) };
  });
}

/**
 * The statements that grant a role its part, for those who run them by hand.
 *
 * @throws TypeError for a name that is empty or holds NUL.
 */
export function grantStatements(part: keyof typeof GRANTS_SQL, role: string): string {
  if (typeof role !== 'string' || role === '' || role.includes('\0')) throw new TypeError(`grants: ${part} is a role`);
  return GRANTS_SQL[part].replaceAll('$role', () => `"${role.replaceAll('"', '""')}"`);
}

/** The version of a database's schema; 0 if it has none. @throws PostgresError */
export async function schemaVersion(pool: PostgresPool, timeoutMs = 5000): Promise<number> {
  return await new Connections(pool).use(timeoutMs, async (connected) => {
    if (!(await hasMigrations(connected))) return 0;
    const { rows } = await connected.query('SELECT max(version) AS version FROM caracal.migrations');
    return rows[0].version ?? 0;
  });
}

// Text that one encoding lacks would cost a record.
async function requireUtf8(connected: Connected): Promise<void> {
  const { rows } = await connected.query(`SELECT current_setting('server_encoding') AS encoding`);
  if (rows[0].encoding !== 'UTF8')
    throw new PostgresError('refused', undefined, 'the database needs the encoding UTF8');
}

async function appliedVersion(connected: Connected): Promise<number> {
  if (!(await hasMigrations(connected))) {
    await connected.query(
      `CREATE SCHEMA IF NOT EXISTS caracal;
       CREATE TABLE caracal.migrations (
         version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
       )`,
    );
    return 0;
  }
  const { rows } = await connected.query('SELECT version, checksum FROM caracal.migrations ORDER BY version');
  if (rows.length > MIGRATIONS.length) throw new PostgresError('schema_newer');
  for (const [index, { version, checksum }] of rows.entries()) {
    const known = MIGRATIONS[index]!;
    if (version !== known.version || checksum !== checksumOf(known)) {
      throw new PostgresError('schema_changed', undefined, `migration ${known.version}`);
    }
  }
  return rows.length;
}

async function hasMigrations(connected: Connected): Promise<boolean> {
  const { rows } = await connected.query(`SELECT to_regclass('caracal.migrations') IS NOT NULL AS there`);
  return rows[0].there;
}

async function apply(connected: Connected, migration: Migration): Promise<void> {
  await connected.query(migration.sql);
  await connected.query('INSERT INTO caracal.migrations (version, name, checksum) VALUES ($1, $2, $3)', [
    migration.version,
    migration.name,
    checksumOf(migration),
  ]);
}
