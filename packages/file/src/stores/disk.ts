import { type FileHandle, open } from 'node:fs/promises';

/** What can fail while a log is written; tests give their own. */
export interface Disk {
  /** Writes at a position and answers how many bytes the disk took: fewer than given is no error. */
  write(file: FileHandle, bytes: Uint8Array, position: number): Promise<number>;
  /** Resolves when what was written survives a loss of power. */
  sync(file: FileHandle): Promise<void>;
}

/** The disk itself. */
export const realDisk: Disk = Object.freeze({
  write: async (file: FileHandle, bytes: Uint8Array, position: number) =>
    (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
  sync: (file: FileHandle) => file.datasync(),
});

/** Writes all the bytes. */
export async function writeFully(disk: Disk, file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const taken = await disk.write(file, bytes.subarray(written), position + written);
    if (taken === 0) throw new Error('the disk takes no bytes');
    written += taken;
  }
}

/** Makes names that were created, renamed or removed in a directory survive a loss of power. */
export async function syncDirectory(disk: Disk, path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await disk.sync(directory);
  } finally {
    await directory.close();
  }
}
