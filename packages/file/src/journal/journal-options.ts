import type { KeyObject } from 'node:crypto';
import { type Awaitable, type Clock, systemClock } from '@caracal/core';
import { adaptiveDisk, type JournalDisk } from './journal-disk.js';
import type { SignedHead } from './signed-head.js';

/** What a journal warns of. */
export interface JournalWarning {
  readonly code:
    | 'signing_key_beside'
    | 'directory_permissions'
    | 'torn_tail'
    | 'write_failed'
    | 'sync_failed'
    | 'segment_failed'
    | 'head_failed'
    | 'head_sink_failed'
    | 'retention_failed'
    | 'recovered';
  /** For people; holds no secret. */
  readonly message: string;
  readonly cause?: unknown;
}

/** Options of `openJournal`. */
export interface JournalOptions {
  /** Made (0700) if it is not there. On a local file system; one owner at a time. */
  readonly directory: string;
  /** Ed25519 private key, PKCS #8 PEM or a KeyObject. Default: generated (0600) in the directory, with a warning. */
  readonly signingKey?: string | KeyObject;
  /** A segment of this size makes room for the next one. Default 64 MiB; at least 64 KiB. */
  readonly segmentBytes?: number;
  /** Segments whose last record is older are removed. Default 365. */
  readonly retentionDays?: number;
  /**
   * The oldest segments are removed above this total. Default: none, and a full disk refuses requests: with a limit, whoever
   * can cause enough records can push out old evidence.
   */
  readonly retentionBytes?: number;
  /** Records waiting to be written may take this much; more are refused. Default 8 MiB. */
  readonly maxPendingBytes?: number;
  /** Gets every signed head, to be kept where the journal's own machine cannot change it. One at a time, the latest. */
  readonly headSink?: (head: SignedHead) => Awaitable<void>;
  /** Default: `process.emitWarning`. */
  readonly onWarning?: (warning: JournalWarning) => void;
  readonly clock?: Clock;
  /** What writes and syncs; replaced in tests of faults. */
  readonly disk?: JournalDisk;
}

/** Defaults of {@link JournalOptions}. */
export const JOURNAL_DEFAULTS = Object.freeze({
  segmentBytes: 64 * 1024 * 1024,
  retentionDays: 365,
  maxPendingBytes: 8 * 1024 * 1024,
});

/** Options with their defaults. */
export interface JournalSettings {
  readonly directory: string;
  readonly signingKey: string | KeyObject | undefined;
  readonly segmentBytes: number;
  readonly retention: { readonly maxAgeMs: number; readonly maxBytes: number | undefined };
  readonly maxPendingBytes: number;
  readonly headSink: ((head: SignedHead) => Awaitable<void>) | undefined;
  readonly onWarning: (warning: JournalWarning) => void;
  readonly clock: Clock;
  readonly disk: JournalDisk;
}

const KNOWN: Record<keyof JournalOptions, true> = {
  directory: true,
  signingKey: true,
  segmentBytes: true,
  retentionDays: true,
  retentionBytes: true,
  maxPendingBytes: true,
  headSink: true,
  onWarning: true,
  clock: true,
  disk: true,
};
const DAY_MS = 86_400_000;
const MIN_SEGMENT_BYTES = 64 * 1024;
const MIN_PENDING_BYTES = 64 * 1024;

/** @throws TypeError naming the option that is not in order. */
export function journalSettings(options: JournalOptions): JournalSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError('openJournal: options is an object');
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(KNOWN, name)) {
      throw new TypeError(`openJournal: unknown option ${name}; known are ${Object.keys(KNOWN).join(', ')}`);
    }
  }
  const { directory, retentionBytes, retentionDays = JOURNAL_DEFAULTS.retentionDays } = options;
  const { segmentBytes = JOURNAL_DEFAULTS.segmentBytes, maxPendingBytes = JOURNAL_DEFAULTS.maxPendingBytes } = options;
  if (typeof directory !== 'string' || directory === '') throw new TypeError('openJournal: directory is a path');
  if (typeof retentionDays !== 'number' || !(retentionDays > 0)) {
    throw new TypeError('openJournal: retentionDays is a number above 0 (Infinity keeps everything)');
  }
  return Object.freeze({
    directory,
    signingKey: options.signingKey,
    segmentBytes: bytes('segmentBytes', segmentBytes, MIN_SEGMENT_BYTES),
    retention: {
      maxAgeMs: retentionDays * DAY_MS,
      // Below two segments every record would be removed soon after it was written.
      maxBytes: retentionBytes === undefined ? undefined : bytes('retentionBytes', retentionBytes, 2 * segmentBytes),
    },
    maxPendingBytes: bytes('maxPendingBytes', maxPendingBytes, MIN_PENDING_BYTES),
    headSink: options.headSink,
    onWarning: options.onWarning ?? emitWarning,
    clock: options.clock ?? systemClock,
    disk: options.disk ?? adaptiveDisk(),
  });
}

function bytes(name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new TypeError(`openJournal: ${name} is a whole number of bytes, at least ${least}`);
  }
  return value;
}

function emitWarning({ code, message }: JournalWarning): void {
  process.emitWarning(message, { type: 'CaracalJournalWarning', code });
}
