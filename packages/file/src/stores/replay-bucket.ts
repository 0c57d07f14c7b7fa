import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { compositeKey, type MandateUse } from '@caracal/core';
import { AppendLog } from './append-log.js';
import type { Disk } from './disk.js';

/** Marks whose mandates end within so long are kept, and forgotten, together. */
export const BUCKET_SECONDS = 600;

const KIND = 'replay marks';
const NAME = /^until-(\d{1,12})\.log$/;

/** What names a use, and nothing of its times. */
export type Mark = Pick<MandateUse, 'zoneId' | 'issuer' | 'jti'>;

/** One text for a use, different for different uses. */
export function markKey({ zoneId, issuer, jti }: Mark): string {
  return compositeKey([zoneId, issuer, jti]);
}

/** Marks that are done with at one time: a set in memory and a file that is only ever appended to, and then removed. */
export class ReplayBucket {
  readonly keys = new Set<string>();
  readonly #path: string;
  readonly #disk: Disk;
  #log: Promise<AppendLog> | undefined;

  constructor(directory: string, endSeconds: number, disk: Disk) {
    this.#path = join(directory, `until-${endSeconds}.log`);
    this.#disk = disk;
  }

  /** When a file of this name is done with, s since the epoch; `undefined` for a file that is no bucket. */
  static endOf(fileName: string): number | undefined {
    const end = NAME.exec(fileName)?.[1];
    return end === undefined ? undefined : Number(end);
  }

  /** Reads what its file holds. Answers the length of a line that was cut off, bytes. @throws DamagedLine */
  async load(): Promise<number> {
    const opened = await AppendLog.open({ path: this.#path, kind: KIND, disk: this.#disk }, (line) => {
      const [zoneId, issuer, jti] = JSON.parse(line) as unknown[];
      if (typeof zoneId !== 'string' || typeof issuer !== 'string' || typeof jti !== 'string') throw new TypeError();
      this.keys.add(markKey({ zoneId, issuer, jti }));
    });
    if (opened === undefined) return 0;
    this.#log = Promise.resolve(opened.log);
    return opened.tornBytes;
  }

  /** Resolves when the mark is on disk. */
  async save({ zoneId, issuer, jti }: Mark): Promise<void> {
    this.#log ??= AppendLog.create({ path: this.#path, kind: KIND, disk: this.#disk });
    let log: AppendLog;
    try {
      log = await this.#log;
    } catch (cause) {
      this.#log = undefined; // the next mark tries again; none was promised yet
      throw cause;
    }
    await log.append(JSON.stringify([zoneId, issuer, jti]));
  }

  async close(): Promise<void> {
    const log = await this.#log?.catch(() => undefined);
    await log?.close();
  }

  /** Forgets the marks on disk. */
  async remove(): Promise<void> {
    await this.close();
    await unlink(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
