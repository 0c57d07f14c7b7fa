import { rm } from 'node:fs/promises';
import { type ChainPosition, precedingRecord } from './journal-event.js';
import { listSegments, readHeader, segmentBytes, segmentPath, syncDirectory } from './segment-files.js';

/** How much of a journal is kept. */
export interface RetentionLimits {
  /** Age in ms. */
  readonly maxAgeMs: number;
  /** Bytes of all segments; `undefined`: as many as there are. */
  readonly maxBytes: number | undefined;
}

/** What may go. */
export interface Expired {
  /** Every segment up to this number. */
  readonly through: number;
  /** The last record among them. */
  readonly last: ChainPosition;
}

/**
 * Which segments are to be removed, oldest first: those that ended before the age limit, and those that bring the journal
 * above its size. Never `current`, nor one whose successor does not say what it follows.
 */
export async function expiredSegments(
  directory: string,
  current: number,
  limits: RetentionLimits,
  now: number,
): Promise<Expired | undefined> {
  const segments = (await listSegments(directory)).filter((number) => number <= current);
  const sizes = await Promise.all(
    limits.maxBytes === undefined ? [] : segments.map((number) => segmentBytes(directory, number)),
  );
  let total = sizes.reduce((sum, size) => sum + size, 0);
  let expired: Expired | undefined;
  for (const [index, number] of segments.entries()) {
    const next = segments[index + 1];
    if (next === undefined) break;
    const header = await readHeader(directory, next);
    const last = header && precedingRecord(header);
    if (header === undefined || last === undefined) break;
    const old = now - Date.parse(header.time) > limits.maxAgeMs;
    const excess = limits.maxBytes !== undefined && total > limits.maxBytes;
    if (!old && !excess) break;
    total -= sizes[index] ?? 0;
    expired = { through: number, last };
  }
  return expired;
}

/** Removes the segments up to a number, oldest first. Call it when the record that says so is on the disk. */
export async function removeSegments(directory: string, through: number): Promise<void> {
  for (const number of await listSegments(directory)) {
    if (number <= through) await rm(segmentPath(directory, number), { force: true });
  }
  await syncDirectory(directory);
}
