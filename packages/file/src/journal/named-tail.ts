import type { TornTail } from './journal-event.js';
import { readHeader } from './segment-files.js';

/** Starts that failed before their first record leave segments without one; so many of them in a row are looked past. */
const LOOK_AHEAD = 64;

/**
 * What the next chain's first record says of the end of segment `number`: an interrupted write that is no part of the
 * journal. `later`: the numbers of the segments behind it. Segments between the two that hold nothing good are named there too.
 */
export async function namedTail(
  directory: string,
  number: number,
  later: readonly number[],
): Promise<TornTail | undefined> {
  for (const candidate of later.slice(0, LOOK_AHEAD)) {
    const header = await readHeader(directory, candidate);
    if (header?.type === 'chain.started') return header.torn?.find(({ segment }) => segment === number);
    if (header !== undefined) return undefined;
  }
  return undefined;
}
