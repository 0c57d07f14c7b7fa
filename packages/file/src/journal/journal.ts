import { randomUUID } from 'node:crypto';
import { chmod, mkdir, stat } from 'node:fs/promises';
import type { AuditRecord, AuditSink, Durability } from '@caracal/core';
import { type DirectoryLock, lockDirectory } from '../directory-lock.js';
import { openingDirectory } from '../storage-error.js';
import { type AppendWaiter, ChainWriter } from './chain-writer.js';
import { HeadFile } from './head-file.js';
import { HeadSigner } from './head-signer.js';
import { type ChainStarted, eventMembers, type RetentionApplied, type SegmentStarted } from './journal-event.js';
import { type JournalOptions, type JournalSettings, journalSettings } from './journal-options.js';
import { type JournalReader, journalReader } from './journal-reader.js';
import { MemberBytes } from './member-bytes.js';
import { type ChainTip, createSegment } from './open-segment.js';
import { findEnd, type JournalEnd } from './recover.js';
import { expiredSegments, removeSegments } from './retention.js';
import { listSegments, readHeader } from './segment-files.js';
import { writeRecord } from './serialize-record.js';
import type { SignedHead } from './signed-head.js';
import { loadSigningKey, rawPublicKey, type SigningKey } from './signing-key.js';
import { Bell, type Wake } from './wake.js';

/** The audit sink that keeps records in files, chained and signed, and can be read. */
export interface Journal extends AuditSink, JournalReader {
  /** Resolves when the record is as durable as asked; rejects with `audit_unavailable`. */
  append(record: AuditRecord, durability: Durability): Promise<void>;
  /**
   * As `append`, for what `serializeRecord` made in another process: the owner of the journal then pays for the chain alone. The
   * bytes must not change until `waiter` is told, which may be before this returns.
   */
  appendSerialized(serialized: Uint8Array, durability: Durability, waiter: AppendWaiter): void;
  /** Id of this process's chain. */
  readonly chain: string;
  /** The public key of its heads, SPKI PEM: what a verifier needs, kept elsewhere. */
  readonly publicKey: string;
  /** Writes, syncs and signs what is left, and gives the directory up. Idempotent. */
  close(): Promise<void>;
}

const HEAD_INTERVAL_MS = 1000;
/** Segments end after a day, so that age can remove old records where few are written. */
const SEGMENT_MS = 86_400_000;

/**
 * Opens a journal as its only owner, finds where it ended, and begins a new chain.
 *
 * @throws TypeError for options that are not in order; `DirectoryLockedError` if it has an owner;
 * `StorageError` if it cannot be opened; what the disk throws.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const settings = journalSettings(options);
  return await openingDirectory(settings.directory, () => openOwned(settings));
}

async function openOwned(settings: JournalSettings): Promise<Journal> {
  await prepareDirectory(settings);
  const lock = await lockDirectory(settings.directory);
  try {
    const key = await loadSigningKey(settings.directory, settings.signingKey);
    if (key.beside) {
      settings.onWarning({
        code: 'signing_key_beside',
        message: `the audit signing key lies beside the records in ${settings.directory}: whoever can change them can sign for them; give audit.signingKey, and keep the public key and the heads elsewhere`,
      });
    }
    return await FileJournal.start(settings, key, lock);
  } catch (cause) {
    await lock.release();
    throw cause;
  }
}

async function prepareDirectory({ directory, onWarning }: JournalSettings): Promise<void> {
  if ((await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined) await chmod(directory, 0o700);
  const { mode } = await stat(directory);
  if ((mode & 0o077) !== 0) {
    onWarning({
      code: 'directory_permissions',
      message: `${directory} can be entered by others than its owner: chmod 700 it`,
    });
  }
}

class FileJournal implements Journal {
  readonly chain: string;
  readonly publicKey: string;
  readonly query: JournalReader['query'];
  readonly follow: JournalReader['follow'];
  readonly entries: JournalReader['entries'];
  readonly trace: JournalReader['trace'];
  readonly heads: JournalReader['heads'];
  readonly verify: JournalReader['verify'];
  readonly #settings: JournalSettings;
  readonly #writer: ChainWriter;
  readonly #bytes = new MemberBytes();
  readonly #signer: HeadSigner;
  readonly #lock: DirectoryLock;
  readonly #bells: Set<Bell>;
  #headTimer: NodeJS.Timeout | undefined;
  #retaining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  static async start(settings: JournalSettings, key: SigningKey, lock: DirectoryLock): Promise<FileJournal> {
    const { directory, clock } = settings;
    const end = await findEnd(directory);
    const heads = new HeadFile(directory);
    await heads.compact(await keptHeads(directory));
    const segment = await createSegment(directory, end.nextSegment, clock.now());
    const chain = randomUUID();
    const bells = new Set<Bell>();
    const journal: FileJournal = new FileJournal(settings, chain, key, lock, bells, heads, {
      disk: settings.disk,
      clock,
      segment,
      segmentBytes: settings.segmentBytes,
      segmentMs: SEGMENT_MS,
      maxPendingBytes: settings.maxPendingBytes,
      nextSegment: (number, tip) => journal.#nextSegment(number, tip),
      onCommit: () => journal.#committed(),
      onEmpty: () => journal.#bytes.recycle(),
      onFault: (reason, cause) => tellFault(settings, reason, cause),
    });
    try {
      await journal.#begin(end, rawPublicKey(key.publicKey));
    } catch (cause) {
      await segment.handle.close();
      throw cause;
    }
    return journal;
  }

  private constructor(
    settings: JournalSettings,
    chain: string,
    key: SigningKey,
    lock: DirectoryLock,
    bells: Set<Bell>,
    heads: HeadFile,
    writer: ConstructorParameters<typeof ChainWriter>[0],
  ) {
    this.#settings = settings;
    this.#lock = lock;
    this.#bells = bells;
    this.chain = chain;
    this.publicKey = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    this.#writer = new ChainWriter(writer);
    this.#signer = new HeadSigner(settings, chain, key.privateKey, heads);
    const reader = journalReader(settings.directory, () => this.#wake());
    this.query = reader.query;
    this.follow = reader.follow;
    this.entries = reader.entries;
    this.trace = reader.trace;
    this.heads = reader.heads;
    this.verify = reader.verify;
  }

  append(record: AuditRecord, durability: Durability): Promise<void> {
    return this.#writer.append(writeRecord(this.#bytes, record), durability);
  }

  appendSerialized(serialized: Uint8Array, durability: Durability, waiter: AppendWaiter): void {
    this.#writer.appendFor(waiter, serialized, durability);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#headTimer);
    try {
      await this.#retaining;
      await this.#writer.close();
    } finally {
      await this.#signer.sign(this.#writer.syncedTip);
      await this.#signer.close();
      clearTimeout(this.#headTimer);
      for (const bell of this.#bells) bell.close();
      await this.#lock.release();
    }
  }

  async #begin({ last, torn, nextSegment }: JournalEnd, key: string): Promise<void> {
    for (const { segment, bytes, lines } of torn) {
      this.#settings.onWarning({
        code: 'torn_tail',
        message: `segment ${segment} ends in ${bytes} bytes (${lines} whole lines) that do not continue the chain; the new chain names them`,
      });
    }
    const started = eventMembers<ChainStarted>('chain.started', this.#settings.clock.now(), {
      chain: this.chain,
      segment: nextSegment,
      key,
      predecessor: last,
      torn: torn.length > 0 ? torn : undefined,
    });
    await this.#writer.append(started, 'synced');
    this.#retain();
  }

  async #nextSegment(number: number, { hash }: ChainTip) {
    const { directory, clock } = this.#settings;
    const segment = await createSegment(directory, number, clock.now());
    const header = eventMembers<SegmentStarted>('segment.started', clock.now(), {
      chain: this.chain,
      segment: number,
      previous: hash,
    });
    setImmediate(() => this.#retain());
    return { segment, header };
  }

  #committed(): void {
    for (const bell of this.#bells) bell.ring();
    if (this.#closing === undefined) {
      this.#headTimer ??= setTimeout(() => void this.#signSynced(), HEAD_INTERVAL_MS).unref(); // tells its own faults
    }
  }

  async #signSynced(): Promise<void> {
    this.#headTimer = undefined;
    try {
      await this.#writer.sync();
    } catch {
      return; // told by the writer; a head stands only for what is on the disk, and the next one covers this
    }
    if (this.#closing === undefined) await this.#signer.sign(this.#writer.syncedTip);
  }

  #retain(): void {
    if (this.#closing !== undefined) return;
    this.#retaining ??= this.#removeExpired()
      .catch((cause: unknown) =>
        this.#settings.onWarning({
          code: 'retention_failed',
          message: 'old segments could not be removed; it is tried again with the next segment',
          cause,
        }),
      )
      .finally(() => {
        this.#retaining = undefined;
      });
  }

  // The record first, on the disk, then the files: a kill between them leaves files that a record already explains.
  async #removeExpired(): Promise<void> {
    const { directory, clock, retention } = this.#settings;
    const now = clock.now();
    const expired = await expiredSegments(directory, this.#writer.segmentNumber, retention, now);
    if (expired === undefined) return;
    await this.#writer.append(eventMembers<RetentionApplied>('retention.applied', now, expired), 'synced');
    await removeSegments(directory, expired.through);
  }

  #wake(): Wake {
    const bell = new Bell();
    this.#bells.add(bell);
    return {
      get count() {
        return bell.count;
      },
      get closed() {
        return bell.closed;
      },
      next: (atMostMs, signal) => bell.next(atMostMs, signal),
      close: () => void this.#bells.delete(bell), // whether it was there is nobody's business
    };
  }
}

// Heads of chains that retention has removed have nothing left to speak of.
async function keptHeads(directory: string): Promise<(head: SignedHead) => boolean> {
  const [oldest] = await listSegments(directory);
  const header = oldest === undefined ? undefined : await readHeader(directory, oldest);
  return ({ chain, time }) => header === undefined || chain === header.chain || time >= header.time;
}

const FAULTS = {
  write_failed: 'audit records cannot be written; requests are refused until they can',
  sync_failed: 'audit records cannot be synced to the disk; no head is signed until they can',
  segment_failed: 'no new segment can be made; records go on into the old one',
} as const;

function tellFault({ onWarning }: JournalSettings, reason: keyof typeof FAULTS, cause: unknown): void {
  if (cause === undefined) onWarning({ code: 'recovered', message: `the audit journal works again after ${reason}` });
  else onWarning({ code: reason, message: FAULTS[reason], cause });
}
