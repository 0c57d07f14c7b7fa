import { createHash } from 'node:crypto';
import { hashOf, LineCheck, lineEnd, NO_HASH } from './chain-line.js';
import type { ChainPosition, TornTail } from './journal-event.js';
import { readLineBlocks } from './line-blocks.js';
import { listSegments, parseHeader, segmentBytes, segmentPath } from './segment-files.js';

/** What a new owner finds. */
export interface JournalEnd {
  /** The last good record; `undefined` in a journal that has none. */
  readonly last: ChainPosition | undefined;
  /** What stands behind it. */
  readonly torn: readonly TornTail[];
  /** The number of the segment to begin. */
  readonly nextSegment: number;
}

/**
 * Finds where a journal ends. Its last segment is verified from its first line on; what does not continue the chain is
 * the tail of a write that a kill or lost power interrupted. Nothing is removed: the next chain's first record names
 * the tail, so that recovery is evidence too and cannot be repeated or undone half-way.
 */
export async function findEnd(directory: string): Promise<JournalEnd> {
  const segments = await listSegments(directory);
  const nextSegment = (segments.at(-1) ?? 0) + 1;
  const torn: TornTail[] = [];
  for (const segment of segments.reverse()) {
    const { last, end } = await lastGoodRecord(directory, segment);
    const bytes = (await segmentBytes(directory, segment)) - end;
    if (bytes > 0 || last === undefined) torn.unshift(await describeTail(directory, segment, end));
    if (last !== undefined) return { last, torn, nextSegment };
  }
  return { last: undefined, torn, nextSegment };
}

async function lastGoodRecord(
  directory: string,
  segment: number,
): Promise<{ last: ChainPosition | undefined; end: number }> {
  const check = new LineCheck();
  let last: ChainPosition | undefined;
  let goodEnd = 0;
  for await (const { bytes, offset, whole } of readLineBlocks(segmentPath(directory, segment))) {
    if (!whole) break;
    for (let start = 0; start < bytes.length; ) {
      const end = lineEnd(bytes, start);
      const follows = last ?? claimedStart(bytes.toString('utf8', start, end), segment);
      if (follows === undefined) return { last, end: goodEnd };
      const { fault } = check.check(bytes, start, end, follows.seq + 1, follows.hash);
      if (fault !== undefined) return { last, end: goodEnd };
      last = { chain: follows.chain, seq: follows.seq + 1, hash: hashOf(bytes, end) };
      start = end + 1;
      goodEnd = offset + start;
    }
  }
  return { last, end: goodEnd };
}

function claimedStart(line: string, segment: number): ChainPosition | undefined {
  const header = parseHeader(line, segment);
  if (header === undefined) return undefined;
  return {
    chain: header.chain,
    seq: header.seq - 1,
    hash: header.type === 'chain.started' ? NO_HASH : header.previous,
  };
}

/** Describes what a segment holds from `offset` to its end. */
export async function describeTail(directory: string, segment: number, offset: number): Promise<TornTail> {
  const hash = createHash('sha256');
  let bytes = 0;
  let lines = 0;
  for await (const block of readLineBlocks(segmentPath(directory, segment), offset)) {
    hash.update(block.bytes);
    bytes += block.bytes.length;
    for (let at = lineEnd(block.bytes, 0); at !== -1; at = lineEnd(block.bytes, at + 1)) lines++;
  }
  return { segment, offset, bytes, lines, sha256: hash.digest('hex') };
}
