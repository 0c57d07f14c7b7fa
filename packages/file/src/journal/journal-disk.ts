import { fdatasync, ftruncate, write } from 'node:fs';
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

/**
 * The disk through libuv's thread pool. A write into the page cache is mostly a few microseconds and would be cheaper on
 * the event loop itself; but where the kernel throttles or a device hangs, such a write would stop every stream,
 * timer and revocation of the process. See docs/operate/audit.md for what both were measured to cost.
 */
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
