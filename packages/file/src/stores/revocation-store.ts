import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Anchor,
  CaracalError,
  type Clock,
  checkedAnchor,
  RevocationIndex,
  type RevocationListener,
  RevocationListeners,
  type RevocationStore,
  refuseUnknownOptions,
  revocationLifeMs,
  systemClock,
  wholeNumber,
} from '@caracal/core';
import { type DirectoryLock, lockDirectory } from '../directory-lock.js';
import { openingDirectory } from '../storage-error.js';
import { AppendLog, newNameOf } from './append-log.js';
import { type Disk, realDisk } from './disk.js';
import { DamagedLine } from './log-format.js';
import { parseRevocationLine, type RevocationChange, revocationLine } from './revocation-line.js';
import { type OnWarning, tellConsole, textOption } from './store-options.js';

/** Options of {@link fileRevocationStore}. */
export interface FileRevocationStoreOptions {
  /** The state directory; the store keeps its log in `revocations/` there. Created (0700) where there is none. */
  readonly directory: string;
  readonly clock?: Clock;
  /** Anchors revoked at once; more are refused. Default 200,000, some 50 MB of memory and 100 MB of disk. */
  readonly maxEntries?: number;
  /** Told what an operator should know: a line that was cut off, a log that could not be shortened. Default: the console. */
  readonly onWarning?: OnWarning;
}

/** A store that owns its directory until it is closed. */
export interface FileRevocationStore extends RevocationStore {
  /** What is revoked now, each with how long it still counts, ms; `Infinity`: until it is lifted. */
  entries(): Iterable<readonly [Anchor, number]>;
  /** Writes what waits and gives the directory up. From then on the state grows stale. Idempotent. */
  close(): Promise<void>;
}

/** Default of `maxEntries`. */
export const FILE_REVOCATION_MAX_ENTRIES = 200_000;

/** Lines of the log beyond twice what is revoked, before it is written anew. */
const SLACK_LINES = 1_024;

/**
 * Revocations that outlive the process, without a service: an append-only log on the local disk, whose one owner this
 * process is, and all of it in memory. Always complete, so always fresh.
 *
 * `revoke` takes effect at once and resolves when it is on disk (fsync), so that it survives a killed process and a loss of
 * power. Where the disk fails it rejects with `CaracalError('revocation_unavailable')`, reason `not_durable`: it is in effect
 * until the process ends, and revoking again makes it last. A `lift` takes effect when it is on disk. Full, `revoke` rejects with reason
 * `store_full`: it never forgets one to take another.
 *
 * Sessions, delegation edges and mandates stay revoked for 24 h and 60 s, by the wall clock across restarts, applications and
 * subjects until lifted. A line that was cut off by the end of the process was promised to nobody: it is removed and told to
 * `onWarning`. Any other line that is not as it was written makes opening fail, because going on would un-revoke silently.
 *
 * @throws TypeError for options that are not in order; DirectoryLockedError for a directory that another process owns;
 * StorageError for one that cannot be opened; Error for a damaged log, with file, line and remedy.
 */
export function fileRevocationStore(options: FileRevocationStoreOptions): Promise<FileRevocationStore> {
  return openRevocations(options, realDisk);
}

/** {@link fileRevocationStore} on a disk of its own. */
export async function openRevocations(options: FileRevocationStoreOptions, disk: Disk): Promise<FileRevocationStore> {
  refuseUnknownOptions('fileRevocationStore', options, ['directory', 'clock', 'maxEntries', 'onWarning']);
  const { clock = systemClock, maxEntries = FILE_REVOCATION_MAX_ENTRIES } = options;
  wholeNumber('fileRevocationStore', 'maxEntries', maxEntries);
  const directory = join(textOption('fileRevocationStore', 'directory', options.directory), 'revocations');
  return await openingDirectory(directory, async () => {
    const lock = await lockDirectory(directory);
    try {
      const onWarning = options.onWarning ?? tellConsole;
      const store = new LoggedRevocations(clock, maxEntries, lock);
      await store.open(join(directory, 'revocations.log'), disk, onWarning);
      return store;
    } catch (cause) {
      await lock.release();
      throw cause;
    }
  });
}

class LoggedRevocations implements FileRevocationStore {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #lock: DirectoryLock;
  readonly #index = new RevocationIndex();
  readonly #listeners = new RevocationListeners();
  /** On their way to the disk. One that is overtaken comes before a revocation of the same anchor in the log. */
  readonly #lifts = new Set<{ readonly anchor: Anchor; overtaken: boolean }>();
  #log!: AppendLog;
  #closedAt: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(clock: Clock, maxEntries: number, lock: DirectoryLock) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#lock = lock;
  }

  async open(path: string, disk: Disk, onWarning: OnWarning): Promise<void> {
    await unlink(newNameOf(path)).catch(() => undefined); // there was no rewriting under way
    const options = { path, kind: 'revocations', disk };
    const rewriting = {
      due: (lines: number) => lines > 2 * this.#index.size + SLACK_LINES,
      payloads: () => this.#snapshot(),
      failed: (cause: unknown) => onWarning(`${path} could not be shortened and keeps growing`, cause),
    };
    const opened = await AppendLog.open(options, (line) => this.#load(parseRevocationLine(line)), rewriting).catch(
      (cause: unknown) => {
        throw cause instanceof DamagedLine ? damaged(path, cause) : cause;
      },
    );
    this.#log = opened?.log ?? (await AppendLog.create(options, [], rewriting));
    if (opened !== undefined && opened.tornBytes > 0) {
      onWarning(`${path} ended in a line of ${opened.tornBytes} bytes that was cut off; no one was told it was saved`);
    }
  }

  isRevoked(anchors: readonly Anchor[]): boolean {
    if (this.#index.size === 0) return false;
    return this.#index.hasAny(anchors, this.#clock.monotonic());
  }

  freshAsOf(): number {
    // Once closed, another process may own the directory and revoke there.
    return this.#closedAt ?? this.#clock.monotonic();
  }

  async revoke(anchor: Anchor): Promise<void> {
    const checked = checkedAnchor(anchor);
    this.#refuseClosed();
    const now = this.#clock.monotonic();
    const before = this.#index.until(checked);
    if (before === undefined && !this.#index.hasRoom(this.#maxEntries, now)) {
      throw new CaracalError('revocation_unavailable', 'store_full');
    }
    for (const lift of this.#lifts) lift.overtaken ||= isSame(lift.anchor, checked);
    const life = revocationLifeMs(checked.kind);
    this.#index.set(checked, now + life);
    const isNew = before === undefined || before <= now;
    const told = isNew ? this.#listeners.tell(checked) : this.#listeners.telling;
    const saved = this.#save({ anchor: checked, until: this.#clock.now() + life });
    const [saving, telling] = await Promise.allSettled([saved, told]);
    if (saving.status === 'rejected') throw saving.reason;
    if (telling.status === 'rejected') throw telling.reason;
  }

  async lift(anchor: Anchor): Promise<void> {
    const checked = checkedAnchor(anchor);
    this.#refuseClosed();
    const lift = { anchor: checked, overtaken: false };
    this.#lifts.add(lift);
    try {
      // Only then: a log that is written anew meanwhile must still hold what is not lifted for certain.
      await this.#save({ anchor: checked, until: undefined });
      if (!lift.overtaken) this.#index.delete(checked);
    } finally {
      this.#lifts.delete(lift);
    }
  }

  subscribe(tell: RevocationListener): () => void {
    return this.#listeners.subscribe(tell);
  }

  *entries(): Generator<readonly [Anchor, number]> {
    for (const [anchor, until] of this.#index.entries()) {
      const left = until - this.#clock.monotonic();
      if (left > 0) yield [anchor, left];
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closedAt = this.#clock.monotonic();
    await this.#log.close();
    await this.#lock.release();
  }

  #refuseClosed(): void {
    if (this.#closedAt !== undefined) throw new CaracalError('revocation_unavailable', 'closed');
  }

  async #save(change: RevocationChange): Promise<void> {
    try {
      await this.#log.append(revocationLine(change));
    } catch (cause) {
      throw new CaracalError('revocation_unavailable', 'not_durable', { cause });
    }
  }

  #load({ anchor, until }: RevocationChange): void {
    const left = until === undefined ? 0 : until - this.#clock.now();
    if (left <= 0) return this.#index.delete(anchor);
    // Not more than a whole life, where the wall clock has been set back meanwhile.
    this.#index.set(anchor, this.#clock.monotonic() + Math.min(left, revocationLifeMs(anchor.kind)));
  }

  *#snapshot(): Generator<string> {
    for (const [anchor, until] of this.#index.entries()) {
      const left = until - this.#clock.monotonic();
      if (left > 0) yield revocationLine({ anchor, until: this.#clock.now() + left });
    }
  }
}

function isSame(a: Anchor, b: Anchor): boolean {
  return a.id === b.id && a.kind === b.kind && a.issuer === b.issuer && a.zoneId === b.zoneId;
}

function damaged(path: string, cause: DamagedLine): Error {
  const whole = cause.line - 1;
  const cut = whole === 0 ? 'move it away' : `keep its first ${whole} lines (head -n ${whole})`;
  return new Error(
    `${path}: ${cause.message}. Restore the file from a copy; or ${cut}, and revoke again what the rest revoked`,
    { cause },
  );
}
