import { fdatasync, ftruncate, write, writeSync } from 'node:fs';
import type { Awaitable } from '@caracal/core';

/** The three things a journal does with an open segment: what tests replace to have a full, slow or broken disk. */
export interface JournalDisk {
  /** Writes at `position`; answers how many bytes were taken, which may be fewer. */
  write(fd: number, bytes: Uint8Array, position: number): Awaitable<number>;
  /** What was written is on the disk when it resolves. */
  sync(fd: number): Awaitable<void>;
  /** Cuts the file to `length` bytes. */
  truncate(fd: number, length: number): Awaitable<void>;
}

/** The disk through libuv's thread pool: nothing waits on the event loop. */
export const nodeDisk: JournalDisk = Object.freeze({
  write: (fd: number, bytes: Uint8Array, position: number) =>
    new Promise<number>((resolve, reject) =>
      write(fd, bytes, 0, bytes.length, position, (fault, written) => (fault ? reject(fault) : resolve(written))),
    ),
  sync: (fd: number) =>
    new Promise<void>((resolve, reject) => fdatasync(fd, (fault) => (fault ? reject(fault) : resolve()))),
  truncate: (fd: number, length: number) =>
    new Promise<void>((resolve, reject) => ftruncate(fd, length, (fault) => (fault ? reject(fault) : resolve()))),
});

/** A write on the event loop that took longer was slow, ms: the disk's doing, or another process had the core. */
export const SLOW_WRITE_MS = 5;
/** A write in the thread pool that took longer was slow, ms: it also waits for a thread and for the event loop, which say nothing of the disk. */
export const SLOW_BESIDE_MS = 50;
/** The thread pool writes for so many times as long as the slow write took. */
export const BESIDE_TIMES = 50;

/** What {@link adaptiveDisk} is made of; tests give their own. */
export interface AdaptiveDiskParts {
  readonly monotonic: () => number;
  /** Writes on the event loop. */
  readonly direct: (fd: number, bytes: Uint8Array, position: number) => number;
  /** Writes beside it, syncs and truncates. */
  readonly beside: JournalDisk;
}

const NODE_PARTS: AdaptiveDiskParts = {
  monotonic: () => performance.now(),
  direct: (fd, bytes, position) => writeSync(fd, bytes, 0, bytes.length, position),
  beside: nodeDisk,
};

/**
 * The default: writes on the event loop while the disk is quick, in the thread pool for a while once a write was slow.
 *
 * A write into the page cache takes a few microseconds, a tenth of what the way through the thread pool costs and without
 * waiting for a thread to be scheduled. But where the kernel throttles a writer or a device stalls, a write on the event
 * loop stops every stream, timer and revocation of the process: so slow writes may take a fiftieth of its time at most, and
 * a core that was taken away for some milliseconds costs a short while in the thread pool.
 */
export function adaptiveDisk({ monotonic, direct, beside }: AdaptiveDiskParts = NODE_PARTS): JournalDisk {
  let besideUntil = Number.NEGATIVE_INFINITY;
  const judge = (startedAt: number, slowMs: number): void => {
    const endedAt = monotonic();
    const tookMs = endedAt - startedAt;
    if (tookMs > slowMs) besideUntil = endedAt + BESIDE_TIMES * tookMs;
  };
  return {
    sync: beside.sync,
    truncate: beside.truncate,
    write(fd, bytes, position) {
      const startedAt = monotonic();
      if (startedAt < besideUntil) return writeBeside(fd, bytes, position, startedAt);
      try {
        return direct(fd, bytes, position);
      } finally {
        judge(startedAt, SLOW_WRITE_MS);
      }
    },
  };

  async function writeBeside(fd: number, bytes: Uint8Array, position: number, startedAt: number): Promise<number> {
    try {
      return await beside.write(fd, bytes, position);
    } finally {
      judge(startedAt, SLOW_BESIDE_MS);
    }
  }
}
