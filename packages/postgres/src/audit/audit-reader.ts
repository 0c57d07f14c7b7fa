import type { AuditFilter } from '@caracal/core';
import { refuseUnknownOptions, wholeNumber } from '@caracal/core';
import { Connections } from '../connection.js';
import type { PostgresPool } from '../pool.js';
import { uuidOf } from '../uuid.js';
import { AuditQuery, type KeysetPlace } from './audit-filter.js';
import { type KeptChain, readChains } from './chain-lines.js';
import type { SourceHead } from './journal-source.js';
import { type EntrySelection, type StoredRecord, type StoredTrace, storedRecord } from './stored-record.js';

/** Options of {@link postgresAuditReader}. */
export interface PostgresAuditReaderOptions {
  /** A pool whose role has the reader's grants. */
  readonly pool: PostgresPool;
  /** Deadline of one page, ms. Default 30,000. */
  readonly timeoutMs?: number;
}

/** Where a query begins. */
export interface PostgresAuditQueryOptions {
  /**
   * Default `start`. Behind this record, for the next page; where it is not here, behind the last one of its chain before it, so
   * that none is left out.
   */
  readonly from?: 'start' | { readonly chain: string; readonly seq: number };
}

/** What can be asked of the evidence in PostgreSQL: what a journal's reader answers, of all gateways together. */
export interface PostgresAuditReader {
  /**
   * Records that match, in the order in which they were made. Page by page: memory does not grow, and nothing is held open between
   * pages. What a gateway ships late stands among what was made with it, not behind what was read.
   */
  query(filter?: AuditFilter, options?: PostgresAuditQueryOptions): AsyncIterable<StoredRecord>;
  /** One request's whole evidence, whichever gateway it met. @throws PostgresError */
  trace(requestId: string): Promise<StoredTrace>;
  /** The signed heads, oldest first. @throws PostgresError */
  heads(): Promise<readonly SourceHead[]>;
  /** Every chain with its lines, to be verified by `verifyChains` of `@caracal/file`. */
  chains(): AsyncIterable<KeptChain>;
}

/** Default of `timeoutMs`. */
export const AUDIT_READER_TIMEOUT_MS = 30_000;
const PAGE = 500;
const ENTRY = 'chain::text AS chain, seq::text AS seq, line';

/**
 * Reads the evidence that was shipped to PostgreSQL.
 *
 * @throws TypeError for options that are not in order.
 */
export function postgresAuditReader(options: PostgresAuditReaderOptions): PostgresAuditReader {
  refuseUnknownOptions('postgresAuditReader', options, ['pool', 'timeoutMs']);
  const { pool, timeoutMs = AUDIT_READER_TIMEOUT_MS } = options;
  wholeNumber('postgresAuditReader', 'timeoutMs', timeoutMs);
  const connections = new Connections(pool);
  const select = async (text: string, values: unknown[]): Promise<StoredRecord[]> => {
    const { rows } = await connections.query(timeoutMs, text, values);
    return rows.map((row: EntrySelection) => storedRecord(row));
  };

  async function* query(
    filter?: AuditFilter,
    { from = 'start' }: PostgresAuditQueryOptions = {},
  ): AsyncGenerator<StoredRecord, void, undefined> {
    const asked = new AuditQuery(filter);
    let left = asked.impossible ? 0 : asked.limit;
    let after = left > 0 && from !== 'start' ? await placeOf(from.chain, from.seq) : undefined;
    while (left > 0) {
      const size = Math.min(left, PAGE);
      const { text, values } = asked.page(after, size);
      const { rows } = await connections.query(timeoutMs, text, values);
      for (const row of rows) yield storedRecord(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < size) return;
      after = keysetPlace(last);
      left -= rows.length;
    }
  }

  async function placeOf(chain: string, seq: number): Promise<KeysetPlace | undefined> {
    const text = 'SELECT at, id FROM caracal.audit_entries WHERE chain = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1';
    const [row] = (await connections.query(timeoutMs, text, [uuidOf(chain), seq])).rows;
    return row === undefined ? undefined : keysetPlace(row);
  }

  async function trace(requestId: string): Promise<StoredTrace> {
    const text = `SELECT ${ENTRY} FROM caracal.audit_entries WHERE request_id = $1 ORDER BY at, id`;
    const found = await select(text, [uuidOf(requestId)]);
    const records = found.filter(({ record }) => record.requestId === requestId);
    const ended = records.find(({ record }) => record.outcome !== undefined);
    const authorized = records.find(({ record }) => record.type === 'request.authorized');
    const lost = ended === undefined && authorized !== undefined && (await isOver(authorized));
    const outcome = ended?.record.outcome ?? (lost ? 'unknown' : undefined);
    return { requestId, records, issue: await issueOf(records), outcome };
  }

  // Its process has said that it stops, or another one has gone on behind it.
  async function isOver({ chain, record }: StoredRecord): Promise<boolean> {
    const followed = 'SELECT FROM caracal.audit_chains WHERE predecessor = $1 LIMIT 1';
    if ((await connections.query(timeoutMs, followed, [chain])).rows.length > 0) return true;
    const text = `SELECT ${ENTRY} FROM caracal.audit_entries WHERE chain = $1 AND type = 'gateway.stopped'`;
    return (await select(text, [chain])).some((stopped) => stopped.record.bootId === record.bootId);
  }

  async function issueOf(records: readonly StoredRecord[]): Promise<StoredRecord | undefined> {
    const jti = records.find(({ record }) => record.jti !== undefined)?.record.jti;
    if (jti === undefined) return undefined;
    const issuer = records.find(({ record }) => record.issuer !== undefined)?.record.issuer;
    const text = `SELECT ${ENTRY} FROM caracal.audit_entries WHERE jti = $1 AND type = 'mandate.issued' ORDER BY at LIMIT 100`;
    const issued = await select(text, [jti]);
    return issued.find(({ record }) => record.jti === jti && (record.issuer ?? issuer) === issuer);
  }

  async function heads(): Promise<readonly SourceHead[]> {
    const { rows } = await connections.query(timeoutMs, 'SELECT line FROM caracal.audit_heads ORDER BY time, seq');
    return rows.map(({ line }) => JSON.parse(line) as SourceHead);
  }

  return Object.freeze({ query, trace, heads, chains: () => readChains(connections, timeoutMs) });
}

function keysetPlace({ at, id }: { readonly at: Date; readonly id: string }): KeysetPlace {
  return { at: at.toISOString(), id };
}
