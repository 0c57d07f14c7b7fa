import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Disk, syncDirectory, writeFully } from './disk.js';
import { DamagedLine, encodeLines, headerOf, type LinePosition, LineReader, START } from './log-format.js';

/** Appends that may wait for the disk at once; more are rejected. */
export const MAX_WAITING_APPENDS = 10_000;

const REWRITE_LINES = 1_000;
const READ_BYTES = 256 * 1024;

/** What a log is opened with. */
export interface AppendLogOptions {
  readonly path: string;
  /** What it holds; stands in its first line. */
  readonly kind: string;
  readonly disk: Disk;
}

/** A log that can be replaced by fewer lines that say the same. */
export interface Rewriting {
  /** Whether it is worth it, asked after each group. */
  due(lines: number): boolean;
  /** The lines that say the same; read over several turns, during which appends wait and come after it. */
  payloads(): Iterable<string>;
  failed(cause: unknown): void;
}

interface Append {
  readonly payload: string;
  resolve(): void;
  reject(cause: unknown): void;
}

/**
 * A file that only grows, by whole lines, see {@link LinePosition}. `append` resolves when its line survives a loss of power;
 * lines that come while the disk works share one write and one fsync. After a failed write or fsync the file is cut back
 * to what it held for certain before anything else is written, so that no half line is ever in its middle.
 */
export class AppendLog {
  readonly #options: AppendLogOptions;
  readonly #rewriting: Rewriting | undefined;
  #file: FileHandle;
  #position: LinePosition;
  /** The file may end in bytes that nobody was promised. */
  #untidy = false;
  /** The file's name may not survive yet. */
  #unnamed = false;
  /** Not to be written anew below so many lines, after that has failed. */
  #rewriteFrom = 0;
  #waiting: Append[] = [];
  #working: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: AppendLogOptions, opened: Opened, rewriting: Rewriting | undefined) {
    this.#options = options;
    this.#rewriting = rewriting;
    this.#file = opened.file;
    this.#position = opened.position;
  }

  /** Makes a log of these lines, in place of whatever has this name. All of it is on disk before the name is. */
  static async create(
    options: AppendLogOptions,
    payloads: Iterable<string> = [],
    rewriting?: Rewriting,
  ): Promise<AppendLog> {
    const opened = await writeNew(options, payloads);
    try {
      await syncDirectory(options.disk, dirname(options.path));
    } catch (cause) {
      await opened.file.close();
      throw cause;
    }
    return new AppendLog(options, opened, rewriting);
  }

  /**
   * Opens a log and tells of every line but the header. A line that was cut off at the end was promised to nobody:
   * it is removed, and its length is `tornBytes`.
   *
   * @throws DamagedLine for any other line that is not as it was written, and what `onPayload` throws as one.
   * @returns `undefined` where there is no such file.
   */
  static async open(
    options: AppendLogOptions,
    onPayload: (payload: string) => void,
    rewriting?: Rewriting,
  ): Promise<{ log: AppendLog; tornBytes: number } | undefined> {
    const file = await open(options.path, 'r+').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      const { position, tornBytes } = await readAll(file, options.kind, onPayload);
      if (tornBytes > 0) {
        await file.truncate(position.size);
        await options.disk.sync(file);
      }
      return { log: new AppendLog(options, { file, position }, rewriting), tornBytes };
    } catch (cause) {
      await file.close();
      throw cause;
    }
  }

  /** Resolves when the line is on disk. Rejects where that is not certain. */
  append(payload: string): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(new Error('the log is closed'));
    if (this.#waiting.length >= MAX_WAITING_APPENDS) return Promise.reject(new Error('too many appends wait'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ payload, resolve, reject });
      this.#working ??= this.#work();
    });
  }

  /** Closes the file when what waits has been written. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#working;
      await this.#file.close();
    })();
    return this.#closing;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#commit(group.map(({ payload }) => payload));
        for (const { resolve } of group) resolve();
      } catch (cause) {
        for (const { reject } of group) reject(cause);
      }
      const { lines } = this.#position;
      if (lines >= this.#rewriteFrom && this.#rewriting?.due(lines)) await this.#rewrite(this.#rewriting);
    }
    this.#working = undefined;
  }

  async #commit(payloads: readonly string[]): Promise<void> {
    const { disk, path } = this.#options;
    if (this.#unnamed) await syncDirectory(disk, dirname(path));
    this.#unnamed = false;
    if (this.#untidy) await this.#file.truncate(this.#position.size);
    const { bytes, position } = encodeLines(payloads, this.#position);
    this.#untidy = true;
    await writeFully(disk, this.#file, bytes, this.#position.size);
    await disk.sync(this.#file);
    this.#untidy = false;
    this.#position = position;
  }

  async #rewrite(rewriting: Rewriting): Promise<void> {
    try {
      const { file, position } = await writeNew(this.#options, rewriting.payloads());
      const old = this.#file;
      this.#file = file;
      this.#position = position;
      this.#untidy = false;
      // Lines in the new file count for nothing while a loss of power could bring the old one back.
      this.#unnamed = true;
      await old.close();
      await syncDirectory(this.#options.disk, dirname(this.#options.path));
      this.#unnamed = false;
    } catch (cause) {
      this.#rewriteFrom = 2 * this.#position.lines;
      rewriting.failed(cause);
    }
  }
}

interface Opened {
  readonly file: FileHandle;
  readonly position: LinePosition;
}

/** Name of a log that is being written in place of another. */
export function newNameOf(path: string): string {
  return `${path}.new`;
}

async function writeNew({ path, kind, disk }: AppendLogOptions, payloads: Iterable<string>): Promise<Opened> {
  const newPath = newNameOf(path);
  const file = await open(newPath, 'w+', 0o600);
  try {
    let position = START;
    let lines = [headerOf(kind)];
    const write = async (): Promise<void> => {
      const encoded = encodeLines(lines, position);
      await writeFully(disk, file, encoded.bytes, position.size);
      position = encoded.position;
      lines = [];
    };
    for (const payload of payloads) {
      lines.push(payload);
      if (lines.length >= REWRITE_LINES) await write();
    }
    await write();
    await disk.sync(file);
    await rename(newPath, path);
    return { file, position };
  } catch (cause) {
    await file.close();
    await unlink(newPath).catch(() => undefined); // the next start removes it
    throw cause;
  }
}

async function readAll(file: FileHandle, kind: string, onPayload: (payload: string) => void) {
  const reader = new LineReader((payload, line) => {
    if (line === 1) {
      if (payload !== headerOf(kind)) throw new DamagedLine(line, `is not the header of a log of ${kind}, version 1`);
      return;
    }
    try {
      onPayload(payload);
    } catch {
      throw new DamagedLine(line, 'has a checksum that fits, but no meaning');
    }
  });
  const piece = Buffer.alloc(READ_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) break;
    reader.read(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  // A log gets its name after its header, so this is no write that was cut off.
  if (reader.position.lines === 0) throw new DamagedLine(1, 'is missing: the file has been cut off');
  return { position: reader.position, tornBytes: reader.rest.length };
}
