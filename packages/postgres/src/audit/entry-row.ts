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

type Column = keyof typeof ROW_COLUMNS;

/** An entry as it is stored. */
export interface EntryRow {
  readonly columns: Readonly<Record<Column, string | number | null>>;
  /** First day of the month it belongs to, UTC. */
  readonly month: string;
  readonly entry: SourceEntry;
  /** Chain before this one, where it begins one. */
  readonly predecessor: string | undefined;
}

/**
 * The columns of an entry. They are for finding it: text is cut and cleaned, and the line says what it says.
 *
 * @throws RangeError for an entry without a time or a place in its chain.
 */
export function entryRow(entry: SourceEntry, requests: RequestMemory): EntryRow {
  if (!Number.isSafeInteger(entry.seq)) throw new RangeError('seq');
  const record = entry.record as Partial<AuditRecord> & { predecessor?: { chain?: unknown } };
  const id = uuidOf(String(record.id));
  const time = Date.parse(String(record.time));
  // Nothing but the entry decides where it belongs, or a second arrival would not meet the first.
  const at = timeOfUuid(id) ?? time;
  const atText = new Date(at).toISOString();
  const facts = requests.factsOf(record);
  const predecessor = record.predecessor?.chain;
  return {
    month: `${atText.slice(0, 7)}-01`,
    entry,
    predecessor: typeof predecessor === 'string' ? uuidOf(predecessor) : undefined,
    columns: {
      at: atText,
      id,
      chain: uuidOf(entry.chain),
      seq: entry.seq,
      type: evidenceText(String(record.type)),
      time: Number.isNaN(time) ? atText : new Date(time).toISOString(),
      gateway_id: column(record.gatewayId),
      request_id: typeof record.requestId === 'string' ? uuidOf(record.requestId) : null,
      zone_id: column(facts.zoneId),
      application_id: column(facts.applicationId),
      resource: column(facts.resource),
      issuer: column(facts.issuer),
      subject: column(facts.subject),
      jti: column(record.jti),
      decision: column(record.decision),
      error: column(record.error),
      outcome: column(record.outcome),
      status: Number.isInteger(record.status) && Math.abs(record.status!) < 2 ** 31 ? record.status! : null,
    },
  };
}

function column(value: unknown): string | null {
  return typeof value === 'string' ? evidenceText(value) : null;
}
