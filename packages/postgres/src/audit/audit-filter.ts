import { type AuditFilter, refuseUnknownOptions } from '@caracal/core';
import { uuidOf } from '../uuid.js';

const KNOWN = [
  'since',
  'until',
  'limit',
  'type',
  'zone',
  'application',
  'resource',
  'subject',
  'decision',
  'outcome',
  'requestId',
] as const;
/** An identifier is made a moment before its record's time, and its generator goes on through a clock set back by seconds. */
const CLOCK_SLACK_MS = 60_000;

/** Where a page begins: behind this entry. */
export interface KeysetPlace {
  /** ISO 8601. */
  readonly at: string;
  readonly id: string;
}

/** A filter as a statement. */
export class AuditQuery {
  readonly limit: number;
  /** No record can match: what is asked for is no text that one could hold. */
  readonly impossible: boolean;
  readonly #filter: AuditFilter;
  readonly #since: number | undefined;
  readonly #until: number | undefined;

  /** @throws TypeError for a filter that is not in order. */
  constructor(filter: AuditFilter = {}) {
    refuseUnknownOptions('filter', filter, KNOWN);
    const { limit = Number.POSITIVE_INFINITY } = filter;
    if (!(limit >= 0)) throw new TypeError('filter: limit is a number, at least 0');
    this.limit = limit;
    this.#filter = filter;
    this.#since = instant('since', filter.since);
    this.#until = instant('until', filter.until);
    const { type, zone, application, resource, subject, decision, outcome } = filter;
    const texts = [type, zone, application, resource, subject, decision, outcome];
    this.impossible = texts.some((text) => text !== undefined && (text.includes('\0') || !text.isWellFormed()));
  }

  /** One page of at most `size`, in the order of (at, id). */
  page(after: KeysetPlace | undefined, size: number): { readonly text: string; readonly values: unknown[] } {
    const values: unknown[] = [];
    const value = (given: unknown): string => `$${values.push(given)}`;
    const own = [
      ...this.#ownConditions(value, after),
      "type NOT IN ('chain.started', 'segment.started', 'retention.applied')",
    ];
    const inherited = this.#inheritedConditions(value);
    const limit = `ORDER BY at, id LIMIT ${value(size)}`;
    const whole = `${SELECT} WHERE ${[...own, ...inherited].join(' AND ')} ${limit}`;
    if (inherited.length === 0) return { text: whole, values };
    // An end whose beginning its shipper had not seen counts as of that beginning.
    const began = inherited.map((condition) => `began.${condition}`).join(' AND ');
    const orphans = `${SELECT} WHERE ${own.join(' AND ')} AND type = 'request.completed' AND zone_id IS NULL AND EXISTS (
      SELECT FROM caracal.audit_entries AS began
      WHERE began.request_id = entry.request_id AND began.type = 'request.authorized' AND ${began}) ${limit}`;
    return { text: `(${whole}) UNION ALL (${orphans}) ${limit}`, values };
  }

  #ownConditions(value: (given: unknown) => string, after: KeysetPlace | undefined): string[] {
    const { type, decision, outcome, requestId } = this.#filter;
    const conditions: string[] = [];
    const since = this.#since;
    const until = this.#until;
    // By `at` for the index and the partitions, by `time` for what a record says.
    if (since !== undefined) {
      conditions.push(`at >= ${value(iso(since - CLOCK_SLACK_MS))}`, `time >= ${value(iso(since))}`);
    }
    if (until !== undefined) {
      conditions.push(`at < ${value(iso(until + CLOCK_SLACK_MS))}`, `time < ${value(iso(until))}`);
    }
    if (after !== undefined) conditions.push(`(at, id) > (${value(after.at)}, ${value(after.id)})`);
    if (type !== undefined) conditions.push(`type = ${value(type)}`);
    if (decision !== undefined) conditions.push(`decision = ${value(decision)}`);
    if (outcome !== undefined) conditions.push(`outcome = ${value(outcome)}`);
    if (requestId !== undefined) conditions.push(`request_id = ${value(uuidOf(requestId))}`);
    return conditions;
  }

  #inheritedConditions(value: (given: unknown) => string): string[] {
    const { zone, application, resource, subject } = this.#filter;
    const named = Object.entries({ zone_id: zone, application_id: application, resource, subject });
    return named.flatMap(([column, wanted]) => (wanted === undefined ? [] : [`${column} = ${value(wanted)}`]));
  }
}

const SELECT = `SELECT chain::text AS chain, seq::text AS seq, line, at, id FROM caracal.audit_entries AS entry`;

function instant(name: string, value: Date | string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const time = new Date(value).getTime();
  if (Number.isNaN(time)) throw new TypeError(`filter: ${name} is a Date or an ISO 8601 time`);
  return time;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
