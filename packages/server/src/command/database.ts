import type { Pool } from 'pg';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError } from '../configuration/problem.js';
import { wrongUse } from '../frame/command-error.js';
import type { PlainReference } from '../secrets/read-reference.js';
import { openPostgresPool } from '../state/postgres-pool.js';
import { configurationFault } from './configuration-option.js';

/** A pool on the configured database, as another role where `url` names one. @throws CommandError */
export async function openDatabase(
  { stores: { postgres } }: Configuration,
  environment: NodeJS.ProcessEnv,
  url?: PlainReference,
): Promise<Pool> {
  if (postgres === undefined) throw wrongUse('the configuration names no PostgreSQL; add stores.postgres');
  try {
    const { pool } = await openPostgresPool(
      { ...postgres, poolSize: 2, ...(url === undefined ? {} : { url }) },
      { environment, applicationName: 'caracal command', onError: () => {} }, // whoever uses a connection is told
    );
    return pool;
  } catch (cause) {
    throw cause instanceof ConfigurationError ? configurationFault(cause) : cause;
  }
}

/** What failed with PostgreSQL, as text without secrets; `undefined` where it was something else. */
export function postgresFailure(cause: unknown): string | undefined {
  return cause instanceof Error && cause.name === 'PostgresError' ? cause.message : undefined;
}
