import { MAX_LINE_BYTES } from './chain-line.js';
import { type LineBlock, readLineBlocks } from './line-blocks.js';
import { namedTail } from './named-tail.js';
import { isMissing, listSegments, readHeader, segmentBytes, segmentPath } from './segment-files.js';
import type { Wake } from './wake.js';

/** Where to begin: the oldest record, behind the latest one, or behind a record that was seen. */
export type ReadFrom = 'start' | 'end' | { readonly chain: string; readonly seq: number };

/** A block of whole lines of one segment. */
export interface WalkedBlock extends LineBlock {
  readonly segment: number;
  readonly chain: string;
}

interface Place {
  segment: number;
  offset: number;
  /** Chain of the segment, once its header has been read. */
  chain?: string | undefined;
}

/** Another process may write without a notice reaching us. */
const LOOK_AGAIN_MS = 500;

/**
 * The blocks of a journal in order, while it is written too: a line that is not whole yet is left for later. With a `wake`
 * it waits at the end for more, until the signal is aborted; without one it ends there.
 */
export async function* walkSegments(
  directory: string,
  from: ReadFrom,
  wake?: Wake,
  signal?: AbortSignal,
): AsyncGenerator<WalkedBlock, void, undefined> {
  const place = await placeOf(directory, from);
  while (!signal?.aborted) {
    const seen = wake?.count;
    const last = wake === undefined || wake.closed;
    // Listed before reading: what was written to a segment before its successor came is read before moving on.
    const later = (await listSegments(directory)).filter((number) => number > place.segment);
    const [next] = later;
    yield* readOn(directory, place, later, signal);
    if (next !== undefined) {
      place.segment = next;
      place.offset = 0;
      place.chain = undefined;
    } else if (last) return;
    else if (wake.count === seen) await wake.next(LOOK_AGAIN_MS, signal);
  }
}

async function* readOn(
  directory: string,
  place: Place,
  later: readonly number[],
  signal: AbortSignal | undefined,
): AsyncGenerator<WalkedBlock, void, undefined> {
  if (place.segment === 0) return;
  place.chain ??= (await readHeader(directory, place.segment))?.chain;
  const { chain } = place;
  if (chain === undefined) return; // not written yet, removed meanwhile, or torn
  const end = (await namedTail(directory, place.segment, later))?.offset ?? Number.POSITIVE_INFINITY;
  try {
    for await (const block of readLineBlocks(segmentPath(directory, place.segment), place.offset)) {
      if (!block.whole || block.offset >= end || signal?.aborted) return;
      const bytes = block.bytes.subarray(0, end - block.offset);
      place.offset = block.offset + bytes.length;
      yield { ...block, bytes, segment: place.segment, chain };
    }
  } catch (cause) {
    if (!isMissing(cause)) throw cause; // removed by retention: the next one follows
  }
}

async function placeOf(directory: string, from: ReadFrom): Promise<Place> {
  const segments = await listSegments(directory);
  if (from === 'start') return { segment: 0, offset: 0 };
  if (from === 'end') {
    const segment = segments.at(-1) ?? 0;
    return { segment, offset: await endOfLines(directory, segment) };
  }
  for (const segment of segments.reverse()) {
    const header = await readHeader(directory, segment);
    if (header?.chain === from.chain && header.seq <= from.seq + 1) return { segment, offset: 0 };
  }
  return { segment: 0, offset: 0 };
}

// A line may be half written: reading begins at its start, not in its middle.
async function endOfLines(directory: string, segment: number): Promise<number> {
  if (segment === 0) return 0;
  const size = await segmentBytes(directory, segment);
  let from = Math.max(0, size - MAX_LINE_BYTES);
  for await (const block of readLineBlocks(segmentPath(directory, segment), from)) {
    if (block.whole) from = block.offset + block.bytes.length;
    if (from >= size) break;
  }
  return from;
}
