export { type DirectoryLock, DirectoryLockedError, isDirectoryLocked, lockDirectory } from './directory-lock.js';
export type { AppendWaiter } from './journal/chain-writer.js';
export { type Journal, openJournal } from './journal/journal.js';
export type { JournalDisk } from './journal/journal-disk.js';
export type {
  ChainPosition,
  ChainStarted,
  JournalEvent,
  RetentionApplied,
  SegmentStarted,
  TornTail,
} from './journal/journal-event.js';
export { JOURNAL_DEFAULTS, type JournalOptions, type JournalWarning } from './journal/journal-options.js';
export { type JournalReader, openJournalReader } from './journal/journal-reader.js';
export { isAuditRecord, type JournalEntry, type JournalRecord, type RequestTrace } from './journal/journal-record.js';
export type { DamagedLine, EntriesOptions, FollowOptions, QueryOptions } from './journal/read-journal.js';
export { serializeRecord } from './journal/serialize-record.js';
export { headLine, parseHead, type SignedHead } from './journal/signed-head.js';
export type { StoredChain } from './journal/stored-chains.js';
export type { Recovery, VerificationFailure, VerificationReport } from './journal/verification-report.js';
export { type VerifyChainsOptions, verifyChains } from './journal/verify-chains.js';
export { type VerifyJournalOptions, verifyJournal } from './journal/verify-journal.js';
export type { ReadFrom } from './journal/walk-segments.js';
export { StorageError, type StorageFault } from './storage-error.js';
export {
  FILE_CONNECTIONS_MAX_ENTRIES,
  FILE_REPLAY_DEFAULTS,
  FILE_REVOCATION_MAX_ENTRIES,
  type FileConnectionStore,
  type FileConnectionStoreOptions,
  type FileReplayStore,
  type FileReplayStoreOptions,
  type FileRevocationStore,
  type FileRevocationStoreOptions,
  fileConnectionStore,
  fileReplayStore,
  fileRevocationStore,
} from './stores/index.js';
