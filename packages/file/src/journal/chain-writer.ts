import { CaracalError, type Clock, type Durability } from '@caracal/core';
import { MAX_LINE_BYTES, NO_HASH, sealLine } from './chain-line.js';
import type { JournalDisk } from './journal-disk.js';
import type { OpenSegment } from './open-segment.js';

/** The last record of the chain that is written. */
export interface ChainTip {
  readonly seq: number;
  readonly hash: string;
}

/** What a chain is written with. */
export interface ChainWriterOptions {
  readonly disk: JournalDisk;
  readonly clock: Clock;
  readonly segment: OpenSegment;
  /** A segment of this size makes room for the next one. */
  readonly segmentBytes: number;
  readonly segmentMs: number;
  /** Records that wait to be written may take this much; more are refused. */
  readonly maxPendingBytes: number;
  /** Makes the next segment, and the members of its first line. */
  readonly nextSegment: (number: number, tip: ChainTip) => Promise<{ segment: OpenSegment; header: string }>;
  /** Told after records were written. */
  readonly onCommit: () => void;
  /** Told when writing begins to fail, and with `undefined` when it works again. */
  readonly onFault: (reason: 'write_failed' | 'sync_failed' | 'segment_failed', cause: unknown) => void;
}

interface Entry {
  readonly members: string;
  readonly durability: Durability;
  readonly resolve: () => void;
  readonly reject: (fault: unknown) => void;
  /** Set when it takes its place in a group. */
  seq: number;
  hash: string;
  /** Where its line ends in the group, bytes. */
  end: number;
}

const GROUP_BYTES = 1024 * 1024;
/** A UTF-16 unit is at most three bytes of UTF-8. */
const MAX_UTF8 = 3;
const BUFFERED_DELAY_MS = 20;
const RETRY_MS = 250;
const ROLLOVER_RETRY_MS = 1000;

/**
 * Writes one chain: one writer, one write at a time, and beside it at most one fsync.
 *
 * Records that arrive in one turn of the event loop, or while a write is under way, form a group: one write. Sequence
 * numbers and hashes are given when a group is formed, so a group that fails leaves the chain as it was. A record is
 * accepted when its whole line was taken; what a failed write left of a line is cut off before the next write.
 * `buffered` records are kept through failures; the others are refused at once.
 */
export class ChainWriter {
  readonly #options: ChainWriterOptions;
  readonly #group = Buffer.allocUnsafe(GROUP_BYTES);
  #segment: OpenSegment;
  #queue: Entry[] = [];
  #pendingBytes = 0;
  #tip: ChainTip = { seq: 0, hash: NO_HASH };
  #syncedTip: ChainTip = this.#tip;
  /** Bytes of whole, accepted lines in the segment: everything behind is to be cut off. */
  #position = 0;
  #syncedPosition = 0;
  #unsynced: Entry[] = [];
  #draining: Promise<void> = Promise.resolve();
  #busy = false;
  #syncing: Promise<void> | undefined;
  #nextSync: Promise<void> | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** A failed write may have left part of a line behind `#position`. */
  #partial = false;
  /** A failed fsync may have dropped pages it calls clean: they are written again before the next one. */
  #dropped = false;
  #failing = false;
  #rollover: 'none' | 'syncing' | 'ready' = 'none';
  #rolloverRetryAt = 0;
  #closed = false;

  constructor(options: ChainWriterOptions) {
    this.#options = options;
    this.#segment = options.segment;
  }

  /** The last record written. */
  get tip(): ChainTip {
    return this.#tip;
  }

  /** The last record known to be on the disk. */
  get syncedTip(): ChainTip {
    return this.#syncedTip;
  }

  get segmentNumber(): number {
    return this.#segment.number;
  }

  /** Resolves when the record is as durable as asked. Rejects with `audit_unavailable`. */
  append(members: string, durability: Durability): Promise<void> {
    if (this.#closed) return Promise.reject(unavailable('closed'));
    if (members.length * MAX_UTF8 > MAX_LINE_BYTES - 128) return Promise.reject(unavailable('record_too_large'));
    if (this.#pendingBytes + members.length > this.#options.maxPendingBytes) {
      return Promise.reject(unavailable('journal_full'));
    }
    this.#pendingBytes += members.length;
    return new Promise((resolve, reject) => {
      this.#queue.push({ members, durability, resolve, reject, seq: 0, hash: '', end: 0 });
      this.#schedule(durability);
    });
  }

  /** Resolves when everything written before the call is on the disk. */
  sync(): Promise<void> {
    if (this.#syncing === undefined) return this.#startSync();
    // The one under way may have begun before the latest write: all who ask meanwhile share the one after it.
    this.#nextSync ??= this.#syncing
      .catch(() => {}) // told to those who waited for that one
      .then(() => {
        this.#nextSync = undefined;
        return this.#startSync();
      });
    return this.#nextSync;
  }

  /** Writes and syncs what is left and closes the segment. What cannot be written is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unschedule();
    while (this.#busy) await this.#draining;
    if (this.#queue.length > 0) await this.#drain();
    this.#unschedule();
    this.#refuse(this.#queue.splice(0), unavailable('closed'));
    try {
      await this.sync();
    } finally {
      await this.#segment.handle.close();
    }
  }

  #schedule(durability: Durability): void {
    if (this.#busy || this.#immediate !== undefined) return;
    if (durability === 'buffered') this.#timer ??= setTimeout(() => this.#startDrain(), BUFFERED_DELAY_MS);
    else this.#immediate = setImmediate(() => this.#startDrain());
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  #startDrain(): void {
    this.#unschedule();
    if (!this.#busy) void this.#drain(); // never rejects: faults go to the records they concern
  }

  #drain(): Promise<void> {
    this.#busy = true;
    this.#draining = this.#writeGroups();
    return this.#draining;
  }

  async #writeGroups(): Promise<void> {
    let failed = false;
    while (this.#queue.length > 0 && !failed) {
      if (this.#rolloverDue()) await this.#rollOver();
      const group = this.#formGroup();
      const fault = await this.#writeGroup(group);
      failed = fault !== undefined;
      if (failed) this.#fail(group, fault);
      else this.#tellWorking();
    }
    // In the same turn as the last look at the queue: whoever appends after it finds nobody busy and starts anew.
    this.#busy = false;
  }

  #formGroup(): Entry[] {
    const buffer = this.#group;
    let { seq, hash } = this.#tip;
    let end = 0;
    let count = 0;
    for (const entry of this.#queue) {
      if (end + entry.members.length * MAX_UTF8 + 128 > GROUP_BYTES) break;
      const sealed = sealLine(hash, ++seq, entry.members);
      hash = sealed.hash;
      end += buffer.write(sealed.line, end, 'utf8');
      entry.seq = seq;
      entry.hash = hash;
      entry.end = end;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /** Answers what went wrong; the entries whose lines were taken whole are accepted and removed from the group. */
  async #writeGroup(group: Entry[]): Promise<unknown> {
    const { disk } = this.#options;
    const { fd } = this.#segment;
    const length = group.at(-1)!.end;
    let written = 0;
    let fault: unknown;
    try {
      if (this.#partial) await disk.truncate(fd, this.#position);
      this.#partial = false;
      while (written < length) {
        const taken = await disk.write(fd, this.#group.subarray(written, length), this.#position + written);
        if (taken <= 0) throw new Error('the disk takes no bytes');
        written += taken;
      }
    } catch (cause) {
      this.#partial = true;
      fault = cause;
    }
    this.#accept(group, written);
    return fault;
  }

  #accept(group: Entry[], written: number): void {
    let count = 0;
    while (count < group.length && group[count]!.end <= written) count++;
    if (count === 0) return;
    const accepted = group.splice(0, count);
    const { seq, hash, end } = accepted.at(-1)!;
    this.#tip = { seq, hash };
    this.#position += end;
    let sync = false;
    for (const entry of accepted) {
      this.#pendingBytes -= entry.members.length;
      if (entry.durability !== 'synced') entry.resolve();
      else {
        this.#unsynced.push(entry);
        sync = true;
      }
    }
    if (sync) this.sync().catch(() => {}); // told to the entries that wait for it
    this.#options.onCommit();
  }

  #fail(group: Entry[], cause: unknown): void {
    if (!this.#failing) this.#options.onFault('write_failed', cause);
    this.#failing = true;
    const waiting = [...group, ...this.#queue];
    this.#queue = waiting.filter(({ durability }) => durability === 'buffered');
    this.#refuse(
      waiting.filter(({ durability }) => durability !== 'buffered'),
      unavailable('write_failed', cause),
    );
    if (this.#queue.length > 0 && !this.#closed) this.#timer ??= setTimeout(() => this.#startDrain(), RETRY_MS).unref();
  }

  #refuse(entries: readonly Entry[], fault: unknown): void {
    for (const entry of entries) {
      this.#pendingBytes -= entry.members.length;
      entry.reject(fault);
    }
  }

  #tellWorking(): void {
    if (this.#failing) this.#options.onFault('write_failed', undefined);
    this.#failing = false;
  }

  #startSync(): Promise<void> {
    this.#syncing = this.#syncWritten().finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  async #syncWritten(): Promise<void> {
    const segment = this.#segment;
    const tip = this.#tip;
    const position = this.#position;
    const waiting = this.#unsynced;
    this.#unsynced = [];
    try {
      if (this.#dropped) await this.#writeAgain(segment, this.#syncedPosition, position);
      await this.#options.disk.sync(segment.fd);
    } catch (cause) {
      if (!this.#dropped) this.#options.onFault('sync_failed', cause);
      this.#dropped = true;
      const fault = unavailable('sync_failed', cause);
      for (const { reject } of waiting) reject(fault);
      throw fault;
    }
    if (this.#dropped) this.#options.onFault('sync_failed', undefined);
    this.#dropped = false;
    this.#syncedTip = tip;
    if (segment === this.#segment) this.#syncedPosition = position;
    for (const { resolve } of waiting) resolve();
  }

  // After a failed fsync the kernel may call its pages clean and drop them, and the next fsync would succeed over lost
  // records. Written once more they are dirty again, and the next fsync means what it says.
  async #writeAgain({ fd, handle }: OpenSegment, from: number, to: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(GROUP_BYTES);
    for (let at = from; at < to; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
      if (bytesRead === 0) throw new Error('the segment is shorter than what was written');
      const taken = await this.#options.disk.write(fd, buffer.subarray(0, bytesRead), at);
      if (taken <= 0) throw new Error('the disk takes no bytes');
      at += taken;
    }
  }

  #rolloverDue(): boolean {
    const { segmentBytes, segmentMs, clock } = this.#options;
    if (this.#rollover === 'ready') return true;
    const old = this.#position >= segmentBytes || clock.now() - this.#segment.startedAt >= segmentMs;
    if (!old || this.#rollover === 'syncing' || clock.monotonic() < this.#rolloverRetryAt) return false;
    // Synced once beside the writes, so that the second time, which the writes wait for, is short.
    this.#rollover = 'syncing';
    this.sync().then(
      () => {
        this.#rollover = 'ready';
      },
      () => {
        this.#rollover = 'none';
      },
    );
    return false;
  }

  // The old segment is on the disk before the first byte of the new one: only the last segment can be torn.
  async #rollOver(): Promise<void> {
    this.#rollover = 'none';
    try {
      await this.sync();
      const { segment, header } = await this.#options.nextSegment(this.#segment.number + 1, this.#tip);
      const old = this.#segment;
      this.#segment = segment;
      this.#position = 0;
      this.#syncedPosition = 0;
      this.#partial = false;
      this.#pendingBytes += header.length;
      this.#queue.unshift({
        members: header,
        durability: 'buffered',
        resolve() {},
        reject() {},
        seq: 0,
        hash: '',
        end: 0,
      });
      void this.#closeOld(old);
    } catch (cause) {
      // Records go on into the old segment; if the disk is what failed, they will be told.
      this.#rolloverRetryAt = this.#options.clock.monotonic() + ROLLOVER_RETRY_MS;
      this.#options.onFault('segment_failed', cause);
    }
  }

  async #closeOld({ handle }: OpenSegment): Promise<void> {
    try {
      await this.#syncing?.catch(() => {}); // told to those who waited for it
      await handle.close();
    } catch {
      // Its records are on the disk since before the new segment: nothing is lost but a descriptor.
    }
  }
}

function unavailable(reason: string, cause?: unknown): CaracalError {
  return new CaracalError('audit_unavailable', reason, cause === undefined ? undefined : { cause });
}
