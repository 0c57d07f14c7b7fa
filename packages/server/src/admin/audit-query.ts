import { type AuditFilter, RECORD_TYPES } from '@caracal/core';
import type { JournalRecord, ReadFrom } from '@caracal/file';
import type { EvidencePlace } from '../state/evidence-place.js';

/** Records of one answer where no limit is given. */
export const DEFAULT_QUERY_LIMIT = 1_000;
/** Most records of one answer. */
export const MAX_QUERY_LIMIT = 10_000;

const FILTERS: readonly string[] = [
  ...['since', 'until', 'type', 'zone', 'application', 'resource', 'subject'],
  ...['decision', 'outcome', 'requestId'],
];
const CURSOR = /^([0-9a-f-]{36}):([1-9]\d{0,15})$/;

/** A query of the evidence. */
export interface AuditQuery {
  readonly filter: AuditFilter;
  readonly limit: number;
  /** Behind this record; or, to follow, from the start or the end. */
  readonly from: ReadFrom | undefined;
}

/** Reads the parameters of a query; `place` is the name of the one that says where to begin. Answers what is wrong as a text. */
export function auditQuery(parameters: URLSearchParams, place: 'after' | 'from'): AuditQuery | string {
  const known: readonly string[] = [...FILTERS, 'limit', place, ...(place === 'after' ? ['source'] : [])];
  const filter: Record<string, string> = {};
  for (const name of new Set(parameters.keys())) {
    if (!known.includes(name)) return `A parameter is not known; known are ${known.join(', ')}.`;
    const [value, ...more] = parameters.getAll(name);
    if (more.length > 0) return `${name} is given twice.`;
    if (FILTERS.includes(name)) filter[name] = value!;
  }
  for (const name of ['since', 'until'] as const) {
    if (filter[name] !== undefined && Number.isNaN(Date.parse(filter[name]))) return `${name} is an ISO 8601 time.`;
  }
  const { type } = filter;
  if (type !== undefined && !(RECORD_TYPES as readonly string[]).includes(type)) {
    return `type is one of ${RECORD_TYPES.join(', ')}.`;
  }
  const limit = parameters.get('limit') ?? String(DEFAULT_QUERY_LIMIT);
  if (!/^[1-9]\d{0,5}$/.test(limit) || Number(limit) > MAX_QUERY_LIMIT) return `limit is 1 to ${MAX_QUERY_LIMIT}.`;
  const from = placeOf(parameters.get(place), place);
  if (from === null) return `${place} is a cursor of a record${place === 'from' ? ', start or end' : ''}.`;
  return { filter: filter as AuditFilter, limit: Number(limit), from };
}

/** Where to look: as `source` says, else the first of those there are; `undefined` where it says none of them. */
export function evidenceSource(
  parameters: URLSearchParams,
  places: readonly EvidencePlace[],
): EvidencePlace | undefined {
  const [source = places[0], ...more] = parameters.getAll('source');
  return more.length > 0 ? undefined : places.find((place) => place === source);
}

/** What is told of a record: both places have it. */
export type ToldRecord = Pick<JournalRecord, 'chain' | 'seq' | 'hash' | 'record'>;

/** A record as the admin endpoint tells it. */
export function toldRecord({ chain, seq, hash, record }: ToldRecord) {
  return { cursor: `${chain}:${seq}`, hash, record };
}

function placeOf(text: string | null, place: 'after' | 'from'): ReadFrom | undefined | null {
  if (text === null) return undefined;
  if (place === 'from' && (text === 'start' || text === 'end')) return text;
  const [, chain, seq] = CURSOR.exec(text) ?? [];
  return chain === undefined ? null : { chain, seq: Number(seq) };
}
