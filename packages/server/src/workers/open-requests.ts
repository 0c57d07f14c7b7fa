import { type AuditRecord, type AuditSink, createIdentifiers, type Durability } from '@caracal/core';

type OpenRequest = Pick<AuditRecord, 'bootId' | 'gatewayId' | 'requestId'>;

/** Requests of one worker whose evidence has a beginning and no end, so that each gets one when the worker dies. */
export class OpenRequests {
  readonly #sink: AuditSink;
  readonly #open = new Map<string, OpenRequest>();
  readonly #newId = createIdentifiers();

  constructor(sink: AuditSink) {
    this.#sink = sink;
  }

  append(record: AuditRecord, durability: Durability): ReturnType<AuditSink['append']> {
    const { type, requestId, bootId, gatewayId } = record;
    if (requestId !== undefined) {
      if (type === 'request.authorized') this.#open.set(requestId, { requestId, bootId, gatewayId });
      else this.#open.delete(requestId);
    }
    return this.#sink.append(record, durability);
  }

  /** Nobody knows how they ended, nor whether they ran. Rejects where the journal does not take it. */
  async lost(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    const time = new Date().toISOString();
    const ends = open.map((request) => {
      const end = { ...request, id: this.#newId(), type: 'request.completed', time, outcome: 'unknown' } as const;
      return this.#sink.append({ ...end, decision: 'allowed', reason: 'worker_died' }, 'written');
    });
    await Promise.all(ends);
  }
}
