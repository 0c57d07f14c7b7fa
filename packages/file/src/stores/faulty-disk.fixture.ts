import type { FileHandle } from 'node:fs/promises';
import { type Disk, realDisk } from './disk.js';

/** A disk that can be made to fail: `full` takes half of each write, `failingSync` loses what it took. */
export class FaultyDisk implements Disk {
  full = false;
  failingSync = false;
  /** Takes so many bytes at once. */
  appetite = Number.POSITIVE_INFINITY;
  syncs = 0;
  /** Set, fsync waits for it. */
  gate: Promise<void> | undefined;

  async write(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
    if (this.full) {
      await realDisk.write(file, bytes.subarray(0, bytes.length >> 1), position);
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    }
    return realDisk.write(file, bytes.subarray(0, this.appetite), position);
  }

  async sync(file: FileHandle): Promise<void> {
    this.syncs += 1;
    await this.gate;
    if (this.failingSync) throw Object.assign(new Error('input/output error'), { code: 'EIO' });
    await realDisk.sync(file);
  }
}
