import { access, constants, opendir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** What is wrong with a directory; stable. */
export type StorageFault =
  | 'directory_missing'
  | 'directory_read_only'
  | 'directory_not_permitted'
  | 'directory_not_a_directory';

const MEANING: Readonly<Record<StorageFault, string>> = {
  directory_missing: 'it does not exist; check the path, or create it',
  directory_read_only: 'the file system is read-only; mount it writable or choose another directory',
  directory_not_permitted: 'permission is denied; give it to the user of this process or choose another directory',
  directory_not_a_directory: 'a part of the path is not a directory; move that file away or choose another directory',
};

const FAULT_OF_ERRNO: ReadonlyMap<string | undefined, StorageFault> = new Map([
  ['EROFS', 'directory_read_only'],
  ['EACCES', 'directory_not_permitted'],
  ['EPERM', 'directory_not_permitted'],
  ['ENOTDIR', 'directory_not_a_directory'],
]);

/** A directory cannot be opened; the message names it, the fault and the remedy. `cause` is what the system said. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageFault;
  readonly directory: string;

  constructor(code: StorageFault, directory: string, cause: unknown) {
    super(`cannot open ${directory}: ${MEANING[code]}`, { cause });
    this.code = code;
    this.directory = directory;
  }
}

/** Runs what creates and opens a directory to write there. @throws StorageError; other errors as they are. */
export async function openingDirectory<T>(directory: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    const fault = await faultOf(directory, cause);
    throw fault === undefined ? cause : new StorageError(fault, directory, cause);
  }
}

/** Looks whether a directory can be read. @throws StorageError; other errors as they are. */
export async function requireDirectory(directory: string): Promise<void> {
  try {
    await (await opendir(directory)).close();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const fault = code === 'ENOENT' ? 'directory_missing' : FAULT_OF_ERRNO.get(code);
    throw fault === undefined ? cause : new StorageError(fault, directory, cause);
  }
}

async function faultOf(directory: string, cause: unknown): Promise<StorageFault | undefined> {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  // `mkdir` with `recursive` says EEXIST for a file in the place of the directory, and on some kernels ENOENT where a
  // mount is read-only: the nearest thing that exists knows better.
  return code === 'ENOENT' || code === 'EEXIST' ? await faultOfNearest(directory) : FAULT_OF_ERRNO.get(code);
}

async function faultOfNearest(directory: string): Promise<StorageFault | undefined> {
  const wanted = resolve(directory);
  for (let path = wanted; ; path = dirname(path)) {
    try {
      if (!(await stat(path)).isDirectory()) return 'directory_not_a_directory';
      await access(path, constants.W_OK | constants.X_OK);
      // The directory itself is in order: what is missing is something within, which is not for this error to say.
      return path === wanted ? undefined : 'directory_missing';
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || path === dirname(path)) return FAULT_OF_ERRNO.get(code);
    }
  }
}
