import type { JournalDisk } from './journal-disk.js';
import { type ChainTip, NO_RECORD, type OpenSegment } from './open-segment.js';
import { unavailable } from './unavailable.js';

/** How far a segment is written. */
export interface Written {
  readonly segment: OpenSegment;
  readonly tip: ChainTip;
  /** Bytes of whole, accepted lines. */
  readonly position: number;
}

/** What a {@link SegmentSync} works with. */
export interface SegmentSyncOptions {
  readonly disk: JournalDisk;
  /** How far writing has come by now. */
  readonly written: () => Written;
  /** Told when syncs begin to fail, and with `undefined` when they work again. */
  readonly onFault: (cause: unknown) => void;
}

/** Who waits for a sync. */
export interface SyncWaiter {
  readonly resolve: () => void;
  readonly reject: (fault: unknown) => void;
}

const BLOCK_BYTES = 1024 * 1024;

/** Syncs what was written, one sync at a time, beside the writes. Those who ask while one is under way share the next. */
export class SegmentSync {
  readonly #options: SegmentSyncOptions;
  #tip: ChainTip = NO_RECORD;
  #segment: OpenSegment | undefined;
  /** Bytes of the segment that are on the disk. */
  #position = 0;
  #waiting: SyncWaiter[] = [];
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** A failed fsync may have dropped pages it calls clean: they are written again before the next one. */
  #dropped = false;

  constructor(options: SegmentSyncOptions) {
    this.#options = options;
  }

  /** The last record known to be on the disk. */
  get tip(): ChainTip {
    return this.#tip;
  }

  /** Settles this waiter with the next sync that is started. */
  wait(waiter: SyncWaiter): void {
    this.#waiting.push(waiter);
  }

  /** Resolves when everything written before the call is on the disk. Rejects with `audit_unavailable`. */
  sync(): Promise<void> {
    if (this.#current === undefined) return this.#start();
    // The one under way may have begun before the latest write.
    this.#next ??= this.settled().then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  /** Resolves when the sync under way, if any, has ended one way or the other. */
  async settled(): Promise<void> {
    await this.#current?.catch(() => {}); // told to those who waited for it
  }

  #start(): Promise<void> {
    this.#current = this.#run().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  async #run(): Promise<void> {
    const { segment, tip, position } = this.#options.written();
    if (segment !== this.#segment) this.#position = 0;
    this.#segment = segment;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      if (this.#dropped) await this.#writeAgain(segment, this.#position, position);
      await this.#options.disk.sync(segment.fd);
    } catch (cause) {
      if (!this.#dropped) this.#options.onFault(cause);
      this.#dropped = true;
      const fault = unavailable('sync_failed', cause);
      for (const { reject } of waiting) reject(fault);
      throw fault;
    }
    if (this.#dropped) this.#options.onFault(undefined);
    this.#dropped = false;
    this.#tip = tip;
    this.#position = position;
    for (const { resolve } of waiting) resolve();
  }

  // After a failed fsync the kernel may call its pages clean and drop them, and the next fsync would succeed over lost
  // records. Written once more they are dirty again, and the next fsync means what it says.
  async #writeAgain({ fd, handle }: OpenSegment, from: number, to: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
    for (let at = from; at < to; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
      if (bytesRead === 0) throw new Error('the segment is shorter than what was written');
      const taken = await this.#options.disk.write(fd, buffer.subarray(0, bytesRead), at);
      if (taken <= 0) throw new Error('the disk takes no bytes');
      at += taken;
    }
  }
}
