import type { AuditFilter, AuditRecord } from '@caracal/core';
import { quoted } from './text.js';

const KNOWN: Record<keyof AuditFilter, true> = {
  since: true,
  until: true,
  limit: true,
  type: true,
  zone: true,
  application: true,
  resource: true,
  subject: true,
  decision: true,
  outcome: true,
  requestId: true,
};
/** Requests that are open at once in the journal; beyond it the oldest one's end is judged by what it says itself. */
const MAX_OPEN_REQUESTS = 100_000;

/**
 * Judges records in the order of the journal. A `request.completed` is slim: it counts as of the zone, application,
 * resource and subject of its `request.authorized`.
 */
export class RecordFilter {
  readonly limit: number;
  /** Bytes a line must contain to be worth parsing; some are enough. */
  readonly needles: readonly string[];
  readonly #since: number | undefined;
  readonly #until: number | undefined;
  readonly #own: readonly (readonly [keyof AuditRecord, string])[];
  readonly #inherited: readonly (readonly [keyof AuditRecord, string])[];
  readonly #open = new Set<string>();

  /** @throws TypeError for a filter that is not in order. */
  constructor(filter: AuditFilter = {}) {
    for (const name of Object.keys(filter)) {
      if (!Object.hasOwn(KNOWN, name)) {
        throw new TypeError(`filter: unknown ${name}; known are ${Object.keys(KNOWN).join(', ')}`);
      }
    }
    const { limit = Number.POSITIVE_INFINITY } = filter;
    if (!(limit >= 0)) throw new TypeError('filter: limit is a number, at least 0');
    this.limit = limit;
    this.#since = instant('since', filter.since);
    this.#until = instant('until', filter.until);
    const { type, zone, application, resource, subject, decision, outcome, requestId } = filter;
    // The last one is looked for first: what fewest records say.
    this.#own = named({ decision, outcome, type, requestId });
    this.#inherited = named({ zoneId: zone, applicationId: application, resource, subject });
    this.needles = this.#needles();
  }

  matches(record: AuditRecord): boolean {
    return (
      this.#inTime(record) && this.#isOfRequest(record) && this.#own.every(([name, value]) => record[name] === value)
    );
  }

  #inTime(record: AuditRecord): boolean {
    if (this.#since === undefined && this.#until === undefined) return true;
    const time = Date.parse(record.time);
    return time >= (this.#since ?? Number.NEGATIVE_INFINITY) && time < (this.#until ?? Number.POSITIVE_INFINITY);
  }

  #isOfRequest(record: AuditRecord): boolean {
    if (this.#inherited.length === 0) return true;
    const { requestId } = record;
    const known = requestId !== undefined && this.#open.has(requestId);
    if (known) this.#open.delete(requestId);
    const own = this.#inherited.every(([name, value]) => record[name] === value);
    if (own && record.type === 'request.authorized' && requestId !== undefined) this.#remember(requestId);
    return own || (known && record.type === 'request.completed');
  }

  #remember(requestId: string): void {
    if (this.#open.size >= MAX_OPEN_REQUESTS) {
      const [oldest] = this.#open;
      if (oldest !== undefined) this.#open.delete(oldest);
    }
    this.#open.add(requestId);
  }

  #needles(): string[] {
    const needle = ([name, value]: readonly [string, string]) => `"${name}":${quoted(value)}`;
    // One value of a request's own record rules out every line without it, if no other record's facts are looked at.
    if (this.#inherited.length === 0) return this.#own.slice(-1).map(needle);
    return [needle(this.#inherited.at(-1)!), '"type":"request.completed"'];
  }
}

function instant(name: string, value: Date | string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const time = new Date(value).getTime();
  if (Number.isNaN(time)) throw new TypeError(`filter: ${name} is a Date or an ISO 8601 time`);
  return time;
}

function named(values: Partial<Record<keyof AuditRecord, string | undefined>>): [keyof AuditRecord, string][] {
  return Object.entries(values).filter(([, value]) => value !== undefined) as [keyof AuditRecord, string][];
}
