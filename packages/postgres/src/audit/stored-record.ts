import type { AuditRecord } from '@caracal/core';

/** A record as it was written: what `@caracal/file` calls a journal's record. */
export interface StoredRecord {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
  readonly record: AuditRecord;
  /** The line as it stood in the journal. */
  readonly line: string;
}

/** One request's evidence. */
export interface StoredTrace {
  readonly requestId: string;
  /** Its records, oldest first. */
  readonly records: readonly StoredRecord[];
  /** How its mandate was issued, if the token service's journal is shipped here too. */
  readonly issue: StoredRecord | undefined;
  /**
   * How it ended; `unknown` where it was authorized, has no end, and the process that knew is gone; `undefined` while it
   * runs, or its end is on its way here, or there is no such request.
   */
  readonly outcome: AuditRecord['outcome'];
}

/** A row of `caracal.audit_entries` as it was asked for. */
export interface EntrySelection {
  readonly chain: string;
  readonly seq: string;
  readonly line: string;
}

/** `seq` and `hash` are the entry's, not the record's. */
export function storedRecord({ chain, seq, line }: EntrySelection): StoredRecord {
  const { seq: _seq, hash, ...record } = JSON.parse(line) as Record<string, unknown>;
  return { chain, seq: Number(seq), hash: String(hash), record: record as unknown as AuditRecord, line };
}
