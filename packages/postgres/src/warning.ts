/** What an operator should know. */
export interface PostgresWarning {
  readonly code: /** PostgreSQL does not take what is to be stored; it is tried again by itself. */
    | 'unavailable'
    /** It works again. */
    | 'recovered'
    /** Entries were set aside: see the table `caracal.audit_set_aside`. */
    | 'set_aside'
    /** Entries of the journal were gone before they were shipped. */
    | 'gap'
    /** PostgreSQL has lost what it had: a failover, or a backup that was restored. It is shipped again. */
    | 'set_back'
    /** The journal could not be read; it is tried again by itself. */
    | 'source_failed'
    /** A row of the resource directory is not in order. */
    | 'row_refused';
  /** For people; holds no secret. */
  readonly message: string;
  readonly cause?: unknown;
}

/** Told what an operator should know. */
export type OnPostgresWarning = (warning: PostgresWarning) => void;

/** By `process.emitWarning`. */
export function emitWarning({ code, message }: PostgresWarning): void {
  process.emitWarning(message, { type: 'CaracalPostgresWarning', code });
}
