import { open } from 'node:fs/promises';
import { MAX_LINE_BYTES } from './chain-line.js';

const BLOCK_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/** Bytes of a segment that begin at a line's start. Valid until the next block is asked for. */
export interface LineBlock {
  readonly bytes: Buffer;
  /** Where they begin in the file. */
  readonly offset: number;
  /** `true`: whole lines. `false`: what stands behind the last line feed (or a line that is too long), the last block. */
  readonly whole: boolean;
}

/**
 * Reads a file in blocks of whole lines, from `offset` to what its end is meanwhile. One block is in memory.
 *
 * @throws what opening or reading throws.
 */
export async function* readLineBlocks(path: string, offset = 0): AsyncGenerator<LineBlock, void, undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size <= offset) return;
    // A follower reads a few lines at a time: no megabyte for each.
    const buffer = Buffer.allocUnsafe(size - offset < MAX_LINE_BYTES ? MAX_LINE_BYTES : BLOCK_BYTES + MAX_LINE_BYTES);
    let start = offset;
    let kept = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, kept, buffer.length - kept, start + kept);
      const filled = kept + bytesRead;
      const whole = buffer.subarray(0, filled).lastIndexOf(LINE_FEED) + 1;
      if (whole > 0) yield { bytes: buffer.subarray(0, whole), offset: start, whole: true };
      kept = filled - whole;
      start += whole;
      if (bytesRead === 0 || (whole === 0 && filled === buffer.length)) break;
      buffer.copyWithin(0, whole, filled);
    }
    if (kept > 0) yield { bytes: buffer.subarray(0, kept), offset: start, whole: false };
  } finally {
    await file.close();
  }
}
