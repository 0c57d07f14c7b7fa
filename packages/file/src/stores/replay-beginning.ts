import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendLog } from './append-log.js';
import type { Disk } from './disk.js';
import { ReplayBucket } from './replay-bucket.js';

const KIND = 'replay beginning';
const FILE = 'begins.log';

/** When the memory begins, s since the epoch; `undefined` where nothing says so. @throws DamagedLine */
export async function readBeginning(directory: string, disk: Disk): Promise<number | undefined> {
  let begins: number | undefined;
  const opened = await AppendLog.open({ path: join(directory, FILE), kind: KIND, disk }, (line) => {
    begins = JSON.parse(line) as number;
    if (!Number.isSafeInteger(begins)) throw new TypeError();
  });
  await opened?.log.close();
  return begins;
}

/** Makes the memory begin at this time, s since the epoch. */
export async function writeBeginning(directory: string, disk: Disk, begins: number): Promise<void> {
  const log = await AppendLog.create({ path: join(directory, FILE), kind: KIND, disk }, [JSON.stringify(begins)]);
  await log.close();
}

/** Ends of the buckets that have a file, s since the epoch. Removes what a killed process was about to make. */
export async function bucketsIn(directory: string): Promise<number[]> {
  const ends: number[] = [];
  for (const name of await readdir(directory)) {
    const end = ReplayBucket.endOf(name);
    if (end !== undefined) ends.push(end);
    else if (name.endsWith('.new')) await unlink(join(directory, name));
  }
  return ends;
}
