import type { AuditRecord } from '@caracal/core';
import type { JournalEvent } from './journal-event.js';

/** One line of a journal. */
export interface JournalEntry<R = AuditRecord | JournalEvent> {
  /** Id of the chain (one per process start). */
  readonly chain: string;
  /** From 1. */
  readonly seq: number;
  /** SHA-256 over the previous hash and the line's bytes before it; hex. */
  readonly hash: string;
  readonly record: R;
  /** The line as it stands in the segment, without line feed: what another store has to keep. */
  readonly line: string;
}

/** A line that holds a record. */
export type JournalRecord = JournalEntry<AuditRecord>;

/** One request's evidence. */
export interface RequestTrace {
  readonly requestId: string;
  /** Its records, oldest first. */
  readonly records: readonly JournalRecord[];
  /** How its mandate was issued, if the token service writes to this journal. */
  readonly issue: JournalRecord | undefined;
  /**
   * How it ended; `unknown` where it was authorized, has no end, and the process that knew is gone; `undefined` while it
   * runs or if there is no such request.
   */
  readonly outcome: AuditRecord['outcome'];
}

/** Whether an entry is a record rather than an event of the journal itself. */
export function isAuditRecord(record: AuditRecord | JournalEvent): record is AuditRecord {
  return record.type !== 'chain.started' && record.type !== 'segment.started' && record.type !== 'retention.applied';
}
