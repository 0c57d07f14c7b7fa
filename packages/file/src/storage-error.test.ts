import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from './directory-lock.js';
import { openJournal } from './journal/journal.js';
import { openJournalReader } from './journal/journal-reader.js';
import { verifyJournal } from './journal/verify-journal.js';
import { openingDirectory } from './storage-error.js';
import { fileReplayStore, fileRevocationStore } from './stores/index.js';

const OWNERS = [
  ['openJournal', (directory: string) => openJournal({ directory, onWarning: () => {} })],
  ['fileRevocationStore', (directory: string) => fileRevocationStore({ directory })],
  ['fileReplayStore', (directory: string) => fileReplayStore({ directory })],
] as const;
const READERS = [
  ['openJournalReader', (directory: string) => openJournalReader(directory)],
  ['verifyJournal', (directory: string) => verifyJournal({ directory })],
] as const;

describe('a directory that cannot be opened', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'caracal-storage-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it.each([...OWNERS, ...READERS])('is named by %s where a file is in its place', async (_, open) => {
    const file = join(root, 'file');
    await writeFile(file, '');
    for (const directory of [file, join(file, 'below')]) {
      const error = await open(directory).catch((cause: unknown) => cause);
      expect(error).toMatchObject({
        name: 'StorageError',
        code: 'directory_not_a_directory',
        cause: expect.any(Error),
      });
      expect((error as Error).message).toContain(`cannot open ${directory}`);
    }
  });

  it.each(READERS)('is named by %s where it is missing', async (_, open) => {
    const directory = join(root, 'missing');
    await expect(open(directory)).rejects.toMatchObject({
      code: 'directory_missing',
      message: `cannot open ${directory}: it does not exist; check the path, or create it`,
    });
  });

  it.for(OWNERS)('is named by %s on a read-only mount', async ([, open], { skip }) => {
    const mount = join(root, 'mount');
    await mkdir(mount);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', mount], { stdio: 'ignore' });
    } catch {
      skip('mounting needs root; the next test injects what the system says instead');
    }
    try {
      const directory = join(mount, 'a', 'b');
      await expect(open(directory)).rejects.toMatchObject({
        code: 'directory_read_only',
        message: expect.stringContaining('mount it writable or choose another directory'),
      });
    } finally {
      execFileSync('umount', [mount]);
    }
  });

  it.each([
    ['EROFS', 'directory_read_only'],
    ['EACCES', 'directory_not_permitted'],
    ['EPERM', 'directory_not_permitted'],
  ])('has a stable code for %s', async (errno, code) => {
    const cause = Object.assign(new Error(errno), { code: errno });
    await expect(openingDirectory('/state/audit', () => Promise.reject(cause))).rejects.toMatchObject({ code, cause });
  });

  it('keeps errors that are not about the directory', async () => {
    const missingWithin = Object.assign(new Error('within'), { code: 'ENOENT' });
    for (const cause of [missingWithin, new TypeError('option')]) {
      await expect(openingDirectory(root, () => Promise.reject(cause))).rejects.toBe(cause);
    }
  });

  it('has a stable code where another owner has it', async () => {
    const lock = await lockDirectory(root);
    await expect(lockDirectory(root)).rejects.toMatchObject({
      code: 'directory_locked',
      message: `${root} is in use by a running process; stop it first, or choose another directory`,
    });
    await lock.release();
  });
});
