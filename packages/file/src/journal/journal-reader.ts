import type { AuditFilter } from '@caracal/core';
import { isDirectoryLocked } from '../directory-lock.js';
import { requireDirectory } from '../storage-error.js';
import { readHeads } from './head-file.js';
import type { JournalEntry, JournalRecord, RequestTrace } from './journal-record.js';
import {
  type EntriesOptions,
  type FollowOptions,
  followRecords,
  type QueryOptions,
  queryRecords,
  readEntries,
  traceRequest,
} from './read-journal.js';
import type { SignedHead } from './signed-head.js';
import type { VerificationReport } from './verification-report.js';
import { type VerifyJournalOptions, verifyJournal } from './verify-journal.js';
import { gatheringWake, type Wake, watchDirectory } from './wake.js';

/** What can be asked of a journal, by its owner and by others. */
export interface JournalReader {
  /** Records that match, oldest first. */
  query(filter?: AuditFilter, options?: QueryOptions): AsyncIterable<JournalRecord>;
  /** Records that match as they are written. */
  follow(options?: FollowOptions): AsyncIterable<JournalRecord>;
  /** Every line from a place on, the journal's own events included. */
  entries(options?: EntriesOptions): AsyncIterable<JournalEntry>;
  /** One request's whole evidence. */
  trace(requestId: string): Promise<RequestTrace>;
  /** The signed heads beside the records; older ones of a chain are dropped now and then. */
  heads(): Promise<readonly SignedHead[]>;
  verify(options?: Omit<VerifyJournalOptions, 'directory'>): Promise<VerificationReport>;
}

/**
 * Reads a journal that another process may be writing: no lock, nothing is changed.
 *
 * @throws StorageError for a directory that is missing, is none, or may not be read.
 */
export async function openJournalReader(directory: string): Promise<JournalReader> {
  await requireDirectory(directory);
  return journalReader(directory, () => watchDirectory(directory));
}

/** A reader of a directory. `wakeOf` makes what lets a follower sleep; the follower closes it. */
export function journalReader(directory: string, wakeOf: () => Wake): JournalReader {
  return {
    query: (filter, options) => queryRecords(directory, filter, options),
    follow: (options) => woken(wakeOf, (wake) => followRecords(directory, wake, options)),
    entries: (options = {}) => {
      const { follow = false, gatherMs = 0 } = options;
      if (!follow) return readEntries(directory, undefined, options);
      const gathering = () => (gatherMs > 0 ? gatheringWake(wakeOf(), gatherMs) : wakeOf());
      return woken(gathering, (wake) => readEntries(directory, wake, options));
    },
    trace: (requestId) => traceRequest(directory, requestId, () => isDirectoryLocked(directory)),
    heads: async () => (await readHeads(directory)).heads,
    verify: (options) => verifyJournal({ ...options, directory }),
  };
}

async function* woken<T>(
  wakeOf: () => Wake,
  read: (wake: Wake) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const wake = wakeOf();
  try {
    yield* read(wake);
  } finally {
    wake.close();
  }
}
