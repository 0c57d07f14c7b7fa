import type { Pool, PoolConfig } from 'pg';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError, type ConfigurationProblem } from '../configuration/problem.js';
import type { PlainReference } from '../secrets/read-reference.js';
import { tryRead } from '../secrets/try-read.js';

export type PostgresConfiguration = NonNullable<Configuration['stores']['postgres']>;

/** What is known of a pool beside itself. */
export interface OpenPool {
  readonly pool: Pool;
  /** What is sent goes over the network as plain text. */
  readonly plainText: boolean;
}

/** What is told of connections that break while nobody uses them, and who connects. */
export interface PoolOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly applicationName: string;
  /** As the role that reads evidence, where one is named. Default `false`. */
  readonly asReader?: boolean;
  onError(cause: unknown): void;
}

/** Until a connection is there, ms: pg waits for ever by default. */
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
/** Parameters of a URL that say how TLS is spoken; they would win over `tls`. */
const TLS_PARAMETERS = ['ssl', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'uselibpqcompat'];
/** Of `sslmode`, those that speak TLS in any case. */
const TLS_MODES: readonly (string | null)[] = ['require', 'verify-ca', 'verify-full', 'no-verify'];

/**
 * A pool on the database that a configuration names. Connects to nothing yet.
 *
 * @throws ConfigurationError where its URL or a certificate cannot be had, or is not in order
 */
export async function openPostgresPool(
  { url, readerUrl, poolSize, tls }: PostgresConfiguration,
  { environment, applicationName, asReader = false, onError }: PoolOptions,
): Promise<OpenPool> {
  const problems: ConfigurationProblem[] = [];
  const read = async (member: PlainReference | undefined, path: string) =>
    member === undefined
      ? undefined
      : (await tryRead(member, `stores.postgres.${path}`, environment, problems))?.reveal();
  const [reference, name] = asReader && readerUrl !== undefined ? [readerUrl, 'readerUrl'] : [url, 'url'];
  const connectionString = (await read(reference, name)) ?? '';
  const ssl =
    tls === undefined
      ? undefined
      : {
          ca: await read(tls.ca, 'tls.ca'),
          cert: await read(tls.cert, 'tls.cert'),
          key: await read(tls.key, 'tls.key'),
          servername: tls.serverName,
        };
  const place = `stores.postgres.${name}`;
  const checked = problems.length === 0 ? checkedUrl(connectionString, place, tls !== undefined, problems) : undefined;
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { default: pg } = await import('pg'); // loaded by those who use it
  const options: PoolConfig = {
    connectionString,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    application_name: applicationName,
    ...(ssl === undefined ? {} : { ssl: Object.fromEntries(Object.entries(ssl).filter(([, value]) => value)) }),
  };
  const pool = new pg.Pool(options);
  pool.on('error', onError); // an idle connection that breaks: without a listener the process ends
  return { pool, plainText: tls === undefined && isPlainText(checked!) };
}

function checkedUrl(text: string, path: string, hasTls: boolean, problems: ConfigurationProblem[]): URL | undefined {
  if (!(/^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text))) {
    const remedy = 'give postgres://user:password@host:5432/database';
    problems.push({ path, fault: 'is no URL of a PostgreSQL database', remedy });
    return undefined;
  }
  const url = new URL(text);
  const named = TLS_PARAMETERS.find((parameter) => url.searchParams.has(parameter));
  if (hasTls && named !== undefined) {
    problems.push({ path, fault: `says ${named}, and so does tls`, remedy: 'say it in one of them' });
  }
  return url;
}

function isPlainText(url: URL): boolean {
  const { hostname, searchParams } = url;
  const host = searchParams.get('host') ?? hostname;
  const isLocal = host === '' || host.startsWith('/') || /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/.test(host);
  return !isLocal && !TLS_MODES.includes(searchParams.get('sslmode'));
}
