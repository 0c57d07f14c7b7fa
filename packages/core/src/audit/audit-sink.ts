import type { Awaitable } from '../pipeline.js';
import type { AuditRecord } from './record.js';

/** What an accepted record survives. See docs/embedding. */
export type Durability = 'synced' | 'written' | 'buffered';

/** Port: accept this record. */
export interface AuditSink {
  /** Answers, or resolves, when the record is as durable as asked. A throw means it was not accepted. */
  append(record: AuditRecord, durability: Durability): Awaitable<void>;
}
