import { type AuditRecord, createIdentifiers, type Durability } from '@caracal/core';
import type { Journal } from '@caracal/file';

type OpenRequest = Pick<AuditRecord, 'bootId' | 'gatewayId' | 'requestId'>;

/** What a worker says of a record beside its text, if it is one of a request. */
export type RecordAbout = OpenRequest & Pick<AuditRecord, 'type'>;

/** Takes a worker's record in. */
export type AppendSerialized = (serialized: Uint8Array, durability: Durability, about?: RecordAbout) => Promise<void>;

/** Requests of one worker whose evidence has a beginning and no end, so that each gets one when the worker dies. */
export class OpenRequests {
  readonly #journal: Journal;
  readonly #open = new Map<string, OpenRequest>();
  readonly #newId = createIdentifiers();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  readonly append: AppendSerialized = (serialized, durability, about) => {
    const requestId = about?.requestId;
    if (about !== undefined && requestId !== undefined) {
      const { type, bootId, gatewayId } = about;
      if (type === 'request.authorized') this.#open.set(requestId, { requestId, bootId, gatewayId });
      else this.#open.delete(requestId);
    }
    return this.#journal.appendSerialized(serialized, durability);
  };

  /** Nobody knows how they ended, nor whether they ran. Rejects where the journal does not take it. */
  async lost(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    const time = new Date().toISOString();
    const ends = open.map((request) => {
      const end = { ...request, id: this.#newId(), type: 'request.completed', time, outcome: 'unknown' } as const;
      return this.#journal.append({ ...end, decision: 'allowed', reason: 'worker_died' }, 'written');
    });
    await Promise.all(ends);
  }
}
