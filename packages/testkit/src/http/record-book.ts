import type { AuditRecord } from '@caracal/core';
import { within } from './deadline.js';

/** How long the last record of a request is waited for, ms. */
export const RECORD_DEADLINE_MS = 3_000;

/** Collects the records of a subject by request. */
export class RecordBook {
  readonly #all: AuditRecord[] = [];
  readonly #byRequest = new Map<string, AuditRecord[]>();
  readonly #waiting = new Map<string, (() => void)[]>();

  get all(): readonly AuditRecord[] {
    return this.#all;
  }

  add(record: AuditRecord): void {
    this.#all.push(record);
    const { requestId } = record;
    if (requestId === undefined) return;
    this.#byRequest.set(requestId, [...(this.#byRequest.get(requestId) ?? []), record]);
    if (!isLast(record)) return;
    for (const wake of this.#waiting.get(requestId) ?? []) wake();
    this.#waiting.delete(requestId);
  }

  /** The records of a request once the last one is there. */
  async of(requestId: string): Promise<readonly AuditRecord[]> {
    if (!this.#byRequest.get(requestId)?.some(isLast)) {
      const last = new Promise<void>((resolve) => {
        this.#waiting.set(requestId, [...(this.#waiting.get(requestId) ?? []), resolve]);
      });
      await within(last, RECORD_DEADLINE_MS, `the last record of request ${requestId}`);
    }
    return this.#byRequest.get(requestId) ?? [];
  }
}

function isLast({ type }: AuditRecord): boolean {
  return type === 'request.denied' || type === 'request.completed';
}
