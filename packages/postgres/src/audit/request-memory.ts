import type { AuditRecord } from '@caracal/core';

/** What a request's end does not say again. */
export type RequestFacts = Pick<Partial<AuditRecord>, 'zoneId' | 'applicationId' | 'resource' | 'issuer' | 'subject'>;

/** Requests that are open at once; beyond it the oldest one's end is found by a join. */
const MAX_OPEN_REQUESTS = 100_000;

/** Remembers whose request it was until it ends: `request.completed` is slim. */
export class RequestMemory {
  readonly #open = new Map<string, RequestFacts>();

  /** The facts of a record: its own, or for an end those of its beginning. */
  factsOf(record: Partial<AuditRecord>): RequestFacts {
    const { type, requestId } = record;
    if (requestId === undefined) return record;
    if (type === 'request.authorized') this.#remember(requestId, record);
    if (type !== 'request.completed') return record;
    const begun = this.#open.get(requestId);
    this.#open.delete(requestId);
    return begun ?? record;
  }

  #remember(requestId: string, { zoneId, applicationId, resource, issuer, subject }: RequestFacts): void {
    if (this.#open.size >= MAX_OPEN_REQUESTS) {
      const [oldest] = this.#open.keys();
      if (oldest !== undefined) this.#open.delete(oldest);
    }
    this.#open.set(requestId, { zoneId, applicationId, resource, issuer, subject });
  }
}
