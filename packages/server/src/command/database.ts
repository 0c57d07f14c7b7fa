import type { Pool } from 'pg';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError } from '../configuration/problem.js';
import { wrongUse } from '../frame/command-error.js';
import type { PlainReference } from '../secrets/read-reference.js';
import { openPostgresPool } from '../state/postgres-pool.js';
import { configurationFault } from './configuration-option.js';

/** As whom, where it is not the role of `stores.postgres.url`. */
interface Role {
  readonly url?: PlainReference | undefined;
  /** The one that reads evidence. */
  readonly asReader?: boolean;
}

/** A pool on the configured database. @throws CommandError */
export async function openDatabase(
  { stores: { postgres } }: Configuration,
  environment: NodeJS.ProcessEnv,
  { url, asReader = false }: Role = {},
): Promise<Pool> {
  if (postgres === undefined) throw wrongUse('the configuration names no PostgreSQL; add stores.postgres');
  try {
    const { pool } = await openPostgresPool(
      { ...postgres, poolSize: 2, ...(url === undefined ? {} : { url }) },
      { environment, applicationName: 'caracal command', asReader, onError: () => {} }, // whoever uses a connection is told
    );
    return pool;
  } catch (cause) {
    throw cause instanceof ConfigurationError ? configurationFault(cause) : cause;
  }
}
