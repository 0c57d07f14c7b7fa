import { type AuditRecord, evidenceText } from '@caracal/core';
import { timeOfUuid, uuidOf } from '../uuid.js';
import type { SourceEntry } from './journal-source.js';
import type { RequestMemory } from './request-memory.js';

/** The columns of `caracal.audit_entries` but the line, in the order of the insert, with their types. */
export const ROW_COLUMNS = Object.freeze({
  at: 'timestamptz',
  id: 'uuid',
  chain: 'uuid',
  seq: 'bigint',
  type: 'text',
  time: 'timestamptz',
  gateway_id: 'text',
  request_id: 'uuid',
  zone_id: 'text',
  application_id: 'text',
  resource: 'text',
  issuer: 'text',
  subject: 'text',
  jti: 'text',
  decision: 'text',
  error: 'text',
  outcome: 'text',
  status: 'integer',
} as const);

/** An entry as it is stored. Not the parsed record: thousands of these wait together. */
export interface EntryRow {
  /** In the order of {@link ROW_COLUMNS}. */
  readonly values: readonly (string | number | null)[];
  readonly at: string;
  readonly id: string;
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
  readonly line: string;
  /** When it was made, as the record says. */
  readonly time: string;
  /** Chain before this one, where it begins one. */
  readonly predecessor: string | undefined;
}

/**
 * The columns of an entry. They are for finding it: text is cut and cleaned, and the line says what it says.
 *
 * @throws RangeError for an entry without a time or a place in its chain, and for a line that is none.
 */
export function entryRow({ chain, seq, hash, line, record }: SourceEntry, requests: RequestMemory): EntryRow {
  if (!Number.isSafeInteger(seq)) throw new RangeError('seq');
  // Lines are sent together, and NUL is what no text may hold; a journal writes neither.
  if (line.includes('\n') || line.includes('\0')) throw new RangeError('line');
  const facts = record as Partial<AuditRecord> & { predecessor?: { chain?: unknown } };
  const id = uuidOf(String(facts.id));
  const made = instantOf(String(facts.time));
  // Nothing but the entry decides where it belongs, or a second arrival would not meet the first.
  const at = isoOf(timeOfUuid(id) ?? made);
  const time = Number.isNaN(made) ? at : isoOf(made);
  const chainId = chainOf(chain);
  const { zoneId, applicationId, resource, issuer, subject } = requests.factsOf(facts);
  const { status, requestId, predecessor } = facts;
  const values = [
    at,
    id,
    chainId,
    seq,
    evidenceText(String(facts.type)),
    time,
    column(facts.gatewayId),
    typeof requestId === 'string' ? uuidOf(requestId) : null,
    column(zoneId),
    column(applicationId),
    column(resource),
    column(issuer),
    column(subject),
    column(facts.jti),
    column(facts.decision),
    column(facts.error),
    column(facts.outcome),
    Number.isInteger(status) && Math.abs(status!) < 2 ** 31 ? status! : null,
  ];
  const before = typeof predecessor?.chain === 'string' ? uuidOf(predecessor.chain) : undefined;
  return { values, at, id, chain: chainId, seq, hash, line, time, predecessor: before };
}

// What stands in a row of entries again and again is worked out once: many of one millisecond, thousands of one chain.
const isoOf = remembered((instant: number) => new Date(instant).toISOString());
const instantOf = remembered((time: string) => Date.parse(time));
const chainOf = remembered(uuidOf);

function remembered<A, R>(work: (argument: A) => R): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | undefined;
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: work(argument) };
    return last!.result;
  };
}

function column(value: unknown): string | null {
  return typeof value === 'string' ? evidenceText(value) : null;
}
