import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Why a file is not read: `EFBIG`, or `ENOTREG` for a pipe, a device, a socket or a directory. */
export class FileRefusedError extends Error {
  override readonly name = 'FileRefusedError';
  readonly code: 'EFBIG' | 'ENOTREG';

  constructor(code: 'EFBIG' | 'ENOTREG') {
    super(code);
    this.code = code;
  }
}

/**
 * A regular file of at most `maxBytes`, whole. What the file system says of its size is not believed: a device says 0 and
 * never ends. Without blocking, because a pipe that nobody writes to would keep a thread of the pool for ever, and four of
 * them every file.
 *
 * @throws FileRefusedError; what the system says
 */
export async function readBoundedFile(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (!(await file.stat()).isFile()) throw new FileRefusedError('ENOTREG');
    const chunks: Buffer[] = [];
    for (let left = maxBytes + 1; ; ) {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES)) });
      if (bytesRead === 0) return Buffer.concat(chunks);
      left -= bytesRead;
      if (left === 0) throw new FileRefusedError('EFBIG');
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

const CHUNK_BYTES = 64 * 1024;
