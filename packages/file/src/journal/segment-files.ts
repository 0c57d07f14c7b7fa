import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lineEnd } from './chain-line.js';
import type { SegmentHeader } from './journal-event.js';

const NAME = /^(\d{10})\.ndjson$/;
/** A header is short; the list of torn tails is its only part that grows. */
const MAX_HEADER_BYTES = 64 * 1024;

/** The file name of a segment: `0000000001.ndjson`. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.ndjson`;
}

/** The path of a segment. */
export function segmentPath(directory: string, number: number): string {
  return join(directory, segmentName(number));
}

/** The numbers of the segments in a directory, ascending. */
export async function listSegments(directory: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await readdir(directory)) {
    const match = NAME.exec(name);
    if (match !== null) numbers.push(Number(match[1]));
  }
  return numbers.sort((a, b) => a - b);
}

/** Bytes of a segment; 0 for one that is gone. */
export async function segmentBytes(directory: string, number: number): Promise<number> {
  try {
    return (await stat(segmentPath(directory, number))).size;
  } catch (cause) {
    if (isMissing(cause)) return 0;
    throw cause;
  }
}

/** A segment's first line, not verified. `undefined` where there is none or it is no header. */
export async function readHeader(directory: string, number: number): Promise<SegmentHeader | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(segmentPath(directory, number));
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
  try {
    const bytes = Buffer.allocUnsafe(MAX_HEADER_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const end = lineEnd(bytes.subarray(0, bytesRead), 0);
    return end === -1 ? undefined : parseHeader(bytes.toString('utf8', 0, end), number);
  } finally {
    await file.close();
  }
}

/** Parses a segment's first line; `undefined` if it is not the header of segment `number`. */
export function parseHeader(line: string, number: number): SegmentHeader | undefined {
  let header: Partial<SegmentHeader> | null;
  try {
    header = JSON.parse(line);
  } catch {
    return undefined; // damaged: whoever asked says so, by its place
  }
  if (typeof header !== 'object' || header === null) return undefined;
  if (header.segment !== number || typeof header.chain !== 'string' || typeof header.seq !== 'number') return undefined;
  if (header.type === 'chain.started' && header.seq === 1) return header as SegmentHeader;
  if (header.type === 'segment.started' && typeof header.previous === 'string') return header as SegmentHeader;
  return undefined;
}

/** Whether a file is not there (any more). */
export function isMissing(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
}

/** Makes a new or removed name in the directory survive power loss. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
