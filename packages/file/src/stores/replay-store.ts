import { join } from 'node:path';
import {
  type Awaitable,
  CaracalError,
  CLOCK_SKEW_SECONDS,
  type Clock,
  MAX_LIFE_SECONDS,
  type MandateUse,
  type ReplayStore,
  type ReplayVerdict,
  refuseUnknownOptions,
  systemClock,
  wholeNumber,
} from '@caracal/core';
import { type DirectoryLock, lockDirectory } from '../directory-lock.js';
import { openingDirectory } from '../storage-error.js';
import { type Disk, realDisk } from './disk.js';
import { DamagedLine } from './log-format.js';
import { bucketsIn, readBeginning, writeBeginning } from './replay-beginning.js';
import { BUCKET_SECONDS, markKey, ReplayBucket } from './replay-bucket.js';
import { type OnWarning, tellConsole, textOption } from './store-options.js';

/** Options of {@link fileReplayStore}. */
export interface FileReplayStoreOptions {
  /** The state directory; the store keeps its files in `replay/` there. Created (0700) where there is none. */
  readonly directory: string;
  readonly clock?: Clock;
  /** Uses remembered at once, on disk and in memory; more are refused. Default 500,000, some 100 MB of either. */
  readonly maxEntries?: number;
  /**
   * How far an issuer's clock may be ahead of ours when the memory begins in an empty directory, s. Default 0. Matters where
   * single-use mandates were accepted by another store until just now, as it does for `memoryReplayStore`.
   */
  readonly clockSkewSeconds?: number;
  /** Told what an operator should know: a line that was cut off, a memory that was lost. Default: the console. */
  readonly onWarning?: OnWarning;
}

/** A store that owns its directory until it is closed. */
export interface FileReplayStore extends ReplayStore {
  /** Writes what waits and gives the directory up. Idempotent. */
  close(): Promise<void>;
}

/** Defaults of {@link FileReplayStoreOptions}. */
export const FILE_REPLAY_DEFAULTS = Object.freeze({ maxEntries: 500_000, clockSkewSeconds: 0 });

/** A use is remembered so much longer than its mandate lives, for a wall clock that is set back a little. */
const MARGIN_SECONDS = 60;
/** Mandates that end later than this are none the verifier lets through. Bounds the number of files. */
const HORIZON_SECONDS = MAX_LIFE_SECONDS + 60 * 60;

/**
 * First uses of single-use mandates, on the local disk, whose one owner this process is.
 *
 * The promise: `first` is answered once the mark is on disk (fsync; uses that come together share one), so no restart, kill
 * or loss of power makes a used mandate usable again, and a mandate that was not used stays usable across them. Where the disk
 * fails, `use` rejects with `CaracalError('replay_unavailable')`, reason `not_durable`, and the mandate is not spent.
 *
 * What the memory cannot know is `before_store`: mandates issued before it first began, or before it began anew because a
 * file was missing or damaged (then for 60 s more, for issuers whose clock is ahead), and mandates that had ended before the wall clock was
 * set back. An old copy of the directory is a memory with a hole: remove its files instead of restoring one.
 *
 * Marks stand in one file per 10 minutes of expiry, which is appended to and removed as a whole, never rewritten. Full, `use`
 * throws reason `store_full`; it never forgets a use that still counts.
 *
 * @throws TypeError for options that are not in order; DirectoryLockedError for a directory that another process owns;
 * StorageError for one that cannot be opened.
 */
export function fileReplayStore(options: FileReplayStoreOptions): Promise<FileReplayStore> {
  return openReplays(options, realDisk);
}

const KNOWN = ['directory', 'clock', 'maxEntries', 'clockSkewSeconds', 'onWarning'];

/** {@link fileReplayStore} on a disk of its own. */
export async function openReplays(options: FileReplayStoreOptions, disk: Disk): Promise<FileReplayStore> {
  refuseUnknownOptions('fileReplayStore', options, KNOWN);
  const { maxEntries, clockSkewSeconds } = { ...FILE_REPLAY_DEFAULTS, ...options };
  wholeNumber('fileReplayStore', 'maxEntries', maxEntries);
  wholeNumber('fileReplayStore', 'clockSkewSeconds', clockSkewSeconds, 0);
  const directory = join(textOption('fileReplayStore', 'directory', options.directory), 'replay');
  const { clock = systemClock, onWarning = tellConsole } = options;
  return await openingDirectory(directory, async () => {
    const lock = await lockDirectory(directory);
    const store = new LoggedReplays({ directory, clock, maxEntries, clockSkewSeconds, onWarning, disk, lock });
    try {
      await store.open();
      return store;
    } catch (cause) {
      await store.close();
      throw cause;
    }
  });
}

interface Parts {
  readonly directory: string;
  readonly clock: Clock;
  readonly maxEntries: number;
  readonly clockSkewSeconds: number;
  readonly onWarning: OnWarning;
  readonly disk: Disk;
  readonly lock: DirectoryLock;
}

class LoggedReplays implements FileReplayStore {
  readonly #parts: Parts;
  /** By their end, s since the epoch. */
  readonly #buckets = new Map<number, ReplayBucket>();
  readonly #removals = new Set<Promise<void>>();
  /** s since the epoch. */
  #begins = Number.POSITIVE_INFINITY;
  #size = 0;
  /** End of the bucket that is done with first. */
  #nextEnd = Number.POSITIVE_INFINITY;
  /** What ended until then has been forgotten. */
  #forgottenUntil = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async open(): Promise<void> {
    const { directory, disk, clockSkewSeconds } = this.#parts;
    const ends = await bucketsIn(directory);
    try {
      const begins = await readBeginning(directory, disk);
      if (begins === undefined && ends.length === 0) return await this.#begin(clockSkewSeconds);
      if (begins === undefined) return await this.#beginAnew(ends, 'its beginning is missing');
      if (begins > this.#nowSeconds() + Math.max(clockSkewSeconds, CLOCK_SKEW_SECONDS)) {
        return await this.#beginAnew(ends, 'the clock has been set back to before its beginning');
      }
      this.#begins = begins;
      for (const end of ends) await this.#load(end);
    } catch (cause) {
      if (!(cause instanceof DamagedLine)) throw cause;
      await this.#beginAnew(ends, cause.message);
    }
  }

  // Nothing waits between looking and marking: that is the atomicity.
  use(use: MandateUse): Awaitable<ReplayVerdict> {
    if (this.#closing !== undefined) throw new CaracalError('replay_unavailable', 'closed');
    const { issuedAt, expiresAt } = use;
    const now = this.#nowSeconds();
    if (now >= this.#nextEnd) this.#forget(now);
    // Not `issuedAt < begins`: NaN is not known to be after it.
    if (!(issuedAt >= this.#begins)) return 'before_store';
    const key = markKey(use);
    // The buckets are few, and one use has one place whatever its times are.
    for (const { keys } of this.#buckets.values()) if (keys.has(key)) return 'replayed';
    if (!(expiresAt <= now + HORIZON_SECONDS)) throw new CaracalError('replay_unavailable', 'expiry_invalid');
    const end = Math.ceil((expiresAt + MARGIN_SECONDS) / BUCKET_SECONDS) * BUCKET_SECONDS;
    if (end <= this.#forgottenUntil || end <= now) return 'before_store';
    if (this.#size >= this.#parts.maxEntries) throw new CaracalError('replay_unavailable', 'store_full');
    const bucket = this.#bucket(end);
    bucket.keys.add(key);
    this.#size += 1;
    return this.#save(bucket, use, key);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#removals);
    for (const bucket of this.#buckets.values()) await bucket.close();
    await this.#parts.lock.release();
  }

  async #save(bucket: ReplayBucket, use: MandateUse, key: string): Promise<ReplayVerdict> {
    try {
      await bucket.save(use);
      return 'first';
    } catch (cause) {
      // Nobody was told `first`. If the mark is on disk all the same, a restart refuses the mandate: safe.
      if (bucket.keys.delete(key)) this.#size -= 1;
      throw new CaracalError('replay_unavailable', 'not_durable', { cause });
    }
  }

  #bucket(end: number): ReplayBucket {
    const known = this.#buckets.get(end);
    if (known !== undefined) return known;
    const bucket = new ReplayBucket(this.#parts.directory, end, this.#parts.disk);
    this.#buckets.set(end, bucket);
    this.#nextEnd = Math.min(this.#nextEnd, end);
    return bucket;
  }

  async #load(end: number): Promise<void> {
    const bucket = this.#bucket(end);
    if (end <= this.#nowSeconds()) return; // the next use removes its file
    const tornBytes = await bucket.load();
    this.#size += bucket.keys.size;
    if (tornBytes > 0) {
      this.#parts.onWarning(`A replay mark of ${tornBytes} bytes was cut off; its mandate was not let through`);
    }
  }

  #forget(now: number): void {
    this.#nextEnd = Number.POSITIVE_INFINITY;
    for (const [end, bucket] of this.#buckets) {
      if (end > now) {
        this.#nextEnd = Math.min(this.#nextEnd, end);
        continue;
      }
      this.#buckets.delete(end);
      this.#size -= bucket.keys.size;
      bucket.keys.clear();
      this.#forgottenUntil = Math.max(this.#forgottenUntil, end);
      const removal = bucket
        .remove()
        .catch((cause: unknown) => this.#parts.onWarning('A file of expired replay marks could not be removed', cause))
        .finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
    }
  }

  async #begin(skewSeconds: number): Promise<void> {
    const begins = this.#nowSeconds() + skewSeconds;
    await writeBeginning(this.#parts.directory, this.#parts.disk, begins);
    this.#begins = begins;
  }

  async #beginAnew(ends: readonly number[], problem: string): Promise<void> {
    const { clockSkewSeconds, directory, onWarning } = this.#parts;
    onWarning(
      `The replay memory in ${directory} begins anew: ${problem}. Single-use mandates issued until now are refused`,
    );
    // First the new beginning: a process that is killed in between finds the same damage, and begins anew as well.
    await this.#begin(Math.max(clockSkewSeconds, CLOCK_SKEW_SECONDS));
    for (const end of ends) await this.#bucket(end).remove();
    this.#buckets.clear();
    this.#size = 0;
    this.#nextEnd = Number.POSITIVE_INFINITY;
  }

  #nowSeconds(): number {
    return Math.floor(this.#parts.clock.now() / 1000);
  }
}
