import { type FileHandle, open, rm } from 'node:fs/promises';
import { NO_HASH } from './chain-line.js';
import { segmentPath, syncDirectory } from './segment-files.js';

/** The last record of a chain. */
export interface ChainTip {
  readonly seq: number;
  readonly hash: string;
}

/** The tip of a chain without records. */
export const NO_RECORD: ChainTip = Object.freeze({ seq: 0, hash: NO_HASH });

/** A segment that is written. */
export interface OpenSegment {
  readonly number: number;
  readonly fd: number;
  /** Wall clock, ms. */
  readonly startedAt: number;
  readonly handle: FileHandle;
}

/**
 * Creates a segment. Its name is on the disk before its first byte, so that lost power cannot keep records and lose
 * the file. An existing file is an error: a number is used once.
 */
export async function createSegment(directory: string, number: number, now: number): Promise<OpenSegment> {
  const path = segmentPath(directory, number);
  const handle = await open(path, 'wx+', 0o600);
  try {
    await syncDirectory(directory);
  } catch (cause) {
    await handle.close();
    await rm(path, { force: true });
    throw cause;
  }
  return { number, fd: handle.fd, startedAt: now, handle };
}
