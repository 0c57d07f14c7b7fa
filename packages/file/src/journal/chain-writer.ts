import type { Clock, Durability } from '@caracal/core';
import { LINE_FRAME_BYTES, LineSealer, MAX_LINE_BYTES } from './chain-line.js';
import type { JournalDisk } from './journal-disk.js';
import { type ChainTip, NO_RECORD, type OpenSegment } from './open-segment.js';
import { SegmentSync, type SyncWaiter } from './segment-sync.js';
import { unavailable } from './unavailable.js';

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
  readonly nextSegment: (number: number, tip: ChainTip) => Promise<{ segment: OpenSegment; header: Uint8Array }>;
  /** Told after records were written. */
  readonly onCommit: () => void;
  /** Told when none waits to be written: what was appended so far is not looked at again. */
  readonly onEmpty: () => void;
  /** Told when writing begins to fail, and with `undefined` when it works again. */
  readonly onFault: (reason: 'write_failed' | 'sync_failed' | 'segment_failed', cause: unknown) => void;
}

/** Who waits for a record: told once, when it is as durable as asked, or with `audit_unavailable`. */
export type AppendWaiter = SyncWaiter;

interface Entry {
  readonly members: Uint8Array;
  readonly durability: Durability;
  readonly waiter: AppendWaiter;
  /** Set when it takes its place in a group. */
  seq: number;
  hash: string;
  /** Where its line ends in the group, bytes. */
  end: number;
}

const NOBODY: AppendWaiter = { resolve() {}, reject() {} };

const GROUP_BYTES = 1024 * 1024;
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
  readonly #sealer = new LineSealer();
  readonly #syncs: SegmentSync;
  #segment: OpenSegment;
  #queue: Entry[] = [];
  #pendingBytes = 0;
  #tip: ChainTip = NO_RECORD;
  /** Bytes of whole, accepted lines in the segment: everything behind is to be cut off. */
  #position = 0;
  #draining: Promise<void> = Promise.resolve();
  #busy = false;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** A failed write may have left part of a line behind `#position`. */
  #partial = false;
  #failing = false;
  #rollover: 'none' | 'syncing' | 'ready' = 'none';
  #rolloverRetryAt = 0;
  #closed = false;

  constructor(options: ChainWriterOptions) {
    this.#options = options;
    this.#segment = options.segment;
    this.#syncs = new SegmentSync({
      disk: options.disk,
      written: () => ({ segment: this.#segment, tip: this.#tip, position: this.#position }),
      onFault: (cause) => options.onFault('sync_failed', cause),
    });
  }

  /** The last record written. */
  get tip(): ChainTip {
    return this.#tip;
  }

  /** The last record known to be on the disk. */
  get syncedTip(): ChainTip {
    return this.#syncs.tip;
  }

  get segmentNumber(): number {
    return this.#segment.number;
  }

  /** Resolves when the record is as durable as asked. Rejects with `audit_unavailable`. `members` must not change any more. */
  append(members: Uint8Array, durability: Durability): Promise<void> {
    return new Promise((resolve, reject) => this.appendFor({ resolve, reject }, members, durability));
  }

  /** As `append`, for whoever needs no promise for each record. */
  appendFor(waiter: AppendWaiter, members: Uint8Array, durability: Durability): void {
    if (this.#closed) return waiter.reject(unavailable('closed'));
    if (members.length > MAX_LINE_BYTES - LINE_FRAME_BYTES) return waiter.reject(unavailable('record_too_large'));
    if (this.#pendingBytes + members.length > this.#options.maxPendingBytes) {
      return waiter.reject(unavailable('journal_full'));
    }
    this.#pendingBytes += members.length;
    this.#queue.push({ members, durability, waiter, seq: 0, hash: '', end: 0 });
    this.#schedule(durability);
  }

  /** Resolves when everything written before the call is on the disk. */
  sync(): Promise<void> {
    return this.#syncs.sync();
  }

  /** Writes and syncs what is left and closes the segment. What cannot be written is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unschedule();
    await this.#draining;
    while (this.#queue.length > 0) {
      this.#unschedule();
      await this.#drain();
      if (this.#failing) break;
    }
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
    if (!this.#busy && this.#queue.length > 0) void this.#drain(); // never rejects: faults go to the records they concern
  }

  #drain(): Promise<void> {
    this.#busy = true;
    this.#draining = this.#writeNext();
    return this.#draining;
  }

  // One group a turn of the event loop: a quick disk writes without ever leaving the microtasks, and whoever appends in
  // answer to an append would keep everything else from running.
  async #writeNext(): Promise<void> {
    if (this.#rolloverDue()) await this.#rollOver();
    const group = this.#formGroup();
    const fault = await this.#writeGroup(group);
    if (fault === undefined) this.#tellWorking();
    else this.#fail(group, fault);
    // In the same turn as the last look at the queue: whoever appends after it finds nobody busy and starts anew.
    this.#busy = false;
    if (this.#queue.length === 0) this.#options.onEmpty();
    else if (fault === undefined) this.#schedule('written');
  }

  #formGroup(): Entry[] {
    const buffer = this.#group;
    let { seq, hash } = this.#tip;
    let end = 0;
    let count = 0;
    for (const entry of this.#queue) {
      if (end + entry.members.length + LINE_FRAME_BYTES > GROUP_BYTES) break;
      ({ hash, end } = this.#sealer.seal(hash, ++seq, entry.members, buffer, end));
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
      if (entry.durability !== 'synced') entry.waiter.resolve();
      else {
        this.#syncs.wait(entry.waiter);
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
      entry.waiter.reject(fault);
    }
  }

  #tellWorking(): void {
    if (this.#failing) this.#options.onFault('write_failed', undefined);
    this.#failing = false;
  }

  #rolloverDue(): boolean {
    const { segmentBytes, segmentMs, clock } = this.#options;
    // Where syncs do not keep up the writes have to wait: a segment is at most twice its size.
    const old = this.#position >= segmentBytes || clock.now() - this.#segment.startedAt >= segmentMs;
    if (!old || clock.monotonic() < this.#rolloverRetryAt) return false;
    if (this.#rollover === 'ready' || this.#position >= 2 * segmentBytes) return true;
    if (this.#rollover === 'syncing') return false;
    // Synced once beside the writes, so that the second time, which the writes wait for, is short.
    this.#rollover = 'syncing';
    const segment = this.#segment;
    const synced = (state: 'ready' | 'none') => {
      if (segment === this.#segment) this.#rollover = state;
    };
    this.sync().then(
      () => synced('ready'),
      () => synced('none'),
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
      this.#partial = false;
      this.#pendingBytes += header.length;
      this.#queue.unshift({
        members: header,
        durability: 'buffered',
        waiter: NOBODY,
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
      await this.#syncs.settled();
      await handle.close();
    } catch {
      // Its records are on the disk since before the new segment: nothing is lost but a descriptor.
    }
  }
}
