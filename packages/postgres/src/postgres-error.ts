/** What went wrong with PostgreSQL; stable. */
export type PostgresFault =
  /** No answer within the deadline. What was asked may still happen. */
  | 'timeout'
  /** As much is waiting for PostgreSQL as may wait. */
  | 'busy'
  /** No connection, or one that broke. */
  | 'unreachable'
  /** The server's certificate is not one to trust, or not for this host: nothing was sent. */
  | 'untrusted'
  /** The database has no schema of ours, or an older one: run `caracal migrate`. */
  | 'schema_missing'
  /** The database was migrated by a newer release. */
  | 'schema_newer'
  /** A migration that was applied is not the one this release has under its number. */
  | 'schema_changed'
  /** The role may not do it. */
  | 'not_permitted'
  /** The statement was refused; see `sqlState`. */
  | 'refused';

const MEANING: Readonly<Record<PostgresFault, string>> = {
  timeout: 'PostgreSQL did not answer in time',
  busy: 'too much is waiting for PostgreSQL',
  unreachable: 'PostgreSQL cannot be reached',
  untrusted: 'the certificate of PostgreSQL is not to be trusted; see stores.postgres.tls, and the host of its URL',
  schema_missing: 'the database lacks tables of Caracal; run `caracal migrate`',
  schema_newer: 'the database was migrated by a newer release of Caracal; update this one',
  schema_changed: 'a migration of the database is not the one this release has under its number',
  not_permitted: 'the PostgreSQL role may not do this; see docs/stores/postgres for its grants',
  refused: 'PostgreSQL refused a statement',
};

/**
 * PostgreSQL failed. Holds no text of the driver or the server: these quote rows, and rows are secrets or evidence.
 */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly code: PostgresFault;
  /** SQLSTATE, or the code of the system's error. */
  readonly sqlState: string | undefined;

  constructor(code: PostgresFault, sqlState?: string, detail?: string) {
    super([MEANING[code], detail, sqlState].filter((part) => part !== undefined).join(': '));
    this.code = code;
    this.sqlState = sqlState;
  }
}

// What Node says of a certificate: wrong host, or any reason of OpenSSL's verification.
const UNTRUSTED =
  /^(?:ERR_TLS_CERT_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_)/;
const SQL_STATE = /^[0-9A-Z]{5}$/;
// Shutting down, starting up, out of connections or memory, read-only after a failover, connection exceptions.
const PASSING = /^(?:08|53|57|58|25006|40)/;

/** What the driver threw, without what it quotes. */
export function postgresError(cause: unknown): PostgresError {
  if (cause instanceof PostgresError) return cause;
  const { code, severity } = cause as { code?: unknown; severity?: unknown };
  if (typeof code !== 'string') return new PostgresError('unreachable');
  if (severity === undefined && UNTRUSTED.test(code)) return new PostgresError('untrusted', code.slice(0, 64));
  if (severity === undefined || !SQL_STATE.test(code)) return new PostgresError('unreachable', code.slice(0, 64));
  if (PASSING.test(code) || code.startsWith('28') || code === '3D000') return new PostgresError('unreachable', code);
  if (code === '42P01' || code === '3F000' || code === '42883' || code === '42703') {
    return new PostgresError('schema_missing', code);
  }
  return new PostgresError(code === '42501' ? 'not_permitted' : 'refused', code);
}

/** Whether the values of a statement are to blame: a try with the same ones would end alike. */
export function blamesValues({ code, sqlState }: PostgresError): boolean {
  // Data exceptions, broken constraints, and limits of the program such as the size of an index row.
  return code === 'refused' && /^(?:22|23|54)/.test(sqlState ?? '');
}
