import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, syncDirectory } from './segment-files.js';
import { headLine, parseHead, type SignedHead } from './signed-head.js';

/** The heads of a journal, beside its segments. */
export const HEADS_FILE = 'heads.ndjson';
const COMPACT_BYTES = 1024 * 1024;

/** What a heads file holds. */
export interface HeadFileContent {
  readonly heads: readonly SignedHead[];
  /** Lines that are no heads, from 1. */
  readonly invalidLines: readonly number[];
  /** The last line has no line feed: its writer was killed. */
  readonly torn: boolean;
}

/** Reads the heads of a journal. A missing file holds none. */
export async function readHeads(directory: string): Promise<HeadFileContent> {
  let text: string;
  try {
    text = await readFile(join(directory, HEADS_FILE), 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return { heads: [], invalidLines: [], torn: false };
    throw cause;
  }
  const lines = text.split('\n');
  const torn = lines.pop() !== '';
  const heads: SignedHead[] = [];
  const invalidLines: number[] = [];
  for (const [index, line] of lines.entries()) {
    try {
      heads.push(parseHead(line));
    } catch {
      invalidLines.push(index + 1); // judged by whoever reads: the verifier fails, the writer goes on
    }
  }
  return { heads, invalidLines, torn };
}

/** Appends heads; keeps the last one of each chain when the file grows, which covers those before it. */
export class HeadFile {
  readonly #directory: string;
  #bytes = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Rewrites the file with the last head of each chain that is `kept`. */
  async compact(kept: (head: SignedHead) => boolean = () => true): Promise<void> {
    const { heads, invalidLines } = await readHeads(this.#directory);
    // A damaged line may be an attacker's: it stays for the verifier to find.
    if (invalidLines.length > 0) {
      this.#bytes = 0;
      return;
    }
    const last = new Map(heads.filter(kept).map((head) => [head.chain, head]));
    const text = [...last.values()].map((head) => `${headLine(head)}\n`).join('');
    const path = join(this.#directory, HEADS_FILE);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await syncDirectory(this.#directory);
    this.#bytes = text.length;
  }

  async append(head: SignedHead): Promise<void> {
    const line = `${headLine(head)}\n`;
    const file = await open(join(this.#directory, HEADS_FILE), 'a', 0o600);
    try {
      const { size } = await file.stat();
      try {
        await file.appendFile(line);
        await file.datasync();
      } catch (cause) {
        await file.truncate(size); // half a line must not stand before the next one
        throw cause;
      }
    } finally {
      await file.close();
    }
    this.#bytes += line.length;
    if (this.#bytes > COMPACT_BYTES) await this.compact();
  }
}
